"""Webhooks: made, changed, and what they told."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError, ValidationError
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.webhook import Delivery, DeliveryStatus, Target, Webhook, new_webhook_id

_PURPOSE = b"webhook\0"
_MOST = 100


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    name: str
    event_types: tuple[str, ...]
    targets: tuple[Target, ...]
    is_active: bool = True


class WebhookSecrets:
    """What each webhook signs with: it follows from the installation's secret and the webhook's id; it is not kept."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def shown(self, webhook_id: str) -> str:
        """As receivers' libraries take it (standardwebhooks.com)."""
        return f"whsec_{base64.b64encode(self._key(webhook_id)).decode()}"

    def headers(self, webhook_id: str, event_id: str, at_s: int, body: bytes) -> Mapping[str, str]:
        """Of a telling. Source: Standard Webhooks 1.0, symmetric signatures."""
        signed = b".".join((event_id.encode(), str(at_s).encode(), body))
        signature = base64.b64encode(hmac.new(self._key(webhook_id), signed, hashlib.sha256).digest()).decode()
        return {"webhook-id": event_id, "webhook-timestamp": str(at_s), "webhook-signature": f"v1,{signature}"}

    def _key(self, webhook_id: str) -> bytes:
        return hmac.new(self._secret, _PURPOSE + webhook_id.encode(), hashlib.sha256).digest()


class WebhookService:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def create(self, principal: Principal, draft: WebhookDraft) -> Webhook:
        """Raises: ValidationError, AlreadyExistsError."""
        _check(draft)
        now = self._clock.now()
        made = Webhook(
            new_webhook_id(), draft.name, draft.event_types, draft.targets, now, now, draft.is_active
        )  # fmt: skip

        def write(session: Session) -> None:
            if len(session.webhooks.list(principal)) >= _MOST:
                raise ValidationError.at(["body"], f"an organisation has at most {_MOST} webhooks")
            session.webhooks.insert(principal, made)

        await self._metadata.write(write)
        return made

    async def list(self, principal: Principal) -> Sequence[Webhook]:
        """Newest first."""
        return await self._metadata.read(lambda session: session.webhooks.list(principal))

    async def get(self, principal: Principal, identifier: str) -> Webhook:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: _found(session, principal, identifier))

    async def replace(self, principal: Principal, identifier: str, draft: WebhookDraft) -> Webhook:
        """What waits goes to the new targets. Raises: NotFoundError, ValidationError, AlreadyExistsError."""
        _check(draft)
        now = self._clock.now()

        def write(session: Session) -> Webhook:
            changed = replace(
                _found(session, principal, identifier), name=draft.name, event_types=draft.event_types,
                targets=draft.targets, is_active=draft.is_active, updated_at=now,
            )  # fmt: skip
            session.webhooks.replace(principal, changed)
            return changed

        return await self._metadata.write(write)

    async def delete(self, principal: Principal, identifier: str) -> None:
        """With its log. Raises: NotFoundError."""
        if not await self._metadata.write(lambda session: session.webhooks.delete(principal, identifier)):
            raise NotFoundError.of("webhook", identifier)

    async def deliveries(
        self, principal: Principal, identifier: str, status: DeliveryStatus | None, limit: int, offset: int
    ) -> Page[Delivery]:
        """Newest first. Raises: NotFoundError."""

        def read(session: Session) -> Page[Delivery]:
            webhook_id = _found(session, principal, identifier).webhook_id
            return session.deliveries.page(principal, webhook_id, status, limit, offset)

        return await self._metadata.read(read)

    async def replay(self, principal: Principal, identifier: str, delivery_ids: Sequence[str] | None) -> int:
        """Tell these once more, None: all that failed; how many. Raises: NotFoundError, where one is not there too."""

        def write(session: Session) -> int:
            webhook_id = _found(session, principal, identifier).webhook_id
            count = session.deliveries.again(principal, webhook_id, delivery_ids, self._clock.now())
            if delivery_ids is not None and count < len(set(delivery_ids)):
                raise NotFoundError(f"this webhook has {count} of these {len(set(delivery_ids))} deliveries")
            return count

        return await self._metadata.write(write)


def _found(session: Session, principal: Principal, identifier: str) -> Webhook:
    webhook = session.webhooks.get(principal, identifier)
    if webhook is None:
        raise NotFoundError.of("webhook", identifier)
    return webhook


def _check(draft: WebhookDraft) -> None:
    """Where a URL leads to is checked each time that it is asked. Raises: ValidationError."""
    for place, target in enumerate(draft.targets):
        where: list[str | int] = ["body", "channels", place, "configs", "url"]
        try:
            parts = urlsplit(target.url)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_url = False
        if not is_url:
            raise ValidationError.at(where, "an http or https URL, as https://example.com/hooks")
        if parts.username is not None or parts.password is not None:
            raise ValidationError.at(where, "no user and password: a header may carry them, as {{SECRET.name}}")
