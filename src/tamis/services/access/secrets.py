"""An organisation's secrets: sealed when they come, opened for the requests that they are for, never given back."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import SecretStr

from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.secrets import HeldSecrets, OpenedSecret, Sealer
from tamis.errors import AlreadyExistsError, NotFoundError, NotSetUpError, SecretRefusedError, ValidationError
from tamis.model.principal import Principal
from tamis.model.stored_secret import StoredSecret

_LOG = logging.getLogger("tamis.secrets")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_HOST = re.compile(r"(http://)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SHORTEST, _LONGEST = 8, 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretDraft:
    """What is sent of a secret; None leaves what is there. namespaces: ids or names, or `[]` for every namespace."""

    value: SecretStr | None = None
    hosts: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None


class SecretService:
    def __init__(self, metadata: Metadata, sealer: Sealer, held: HeldSecrets) -> None:
        self._metadata = metadata
        self._sealer = sealer
        self._held = held
        self._known: list[tuple[str, StoredSecret]] | None = None

    async def list(self, principal: Principal) -> Sequence[StoredSecret]:
        """By name."""
        return await self._metadata.read(lambda session: session.secrets.list(principal))

    async def create(self, principal: Principal, name: str, draft: SecretDraft) -> StoredSecret:
        """Raises: ValidationError, AlreadyExistsError, NotSetUpError where the operator gave no key."""
        if not _NAME.fullmatch(name):
            message = "letters, digits, '_' and '-', at most 100, beginning with a letter or '_'"
            raise ValidationError.at(["body", "secret_name"], message)
        if draft.value is None:
            raise ValidationError.at(["body", "secret_value"], "a secret has a value")

        def write(session: Session) -> StoredSecret:
            if session.secrets.get(principal, name) is not None:
                raise AlreadyExistsError(f"a secret named {name!r} exists; PUT changes it", secret_name=name)
            now = datetime.now(UTC)
            return self._put(session, principal, StoredSecret(name, "", "", now, now), draft)

        return await self._written(write, draft)

    async def update(self, principal: Principal, name: str, draft: SecretDraft) -> StoredSecret:
        """Raises: NotFoundError, ValidationError, NotSetUpError."""

        def write(session: Session) -> StoredSecret:
            before = session.secrets.get(principal, name)
            if before is None:
                raise NotFoundError.of("secret", name)
            return self._put(session, principal, replace(before, updated_at=datetime.now(UTC)), draft)

        return await self._written(write, draft)

    async def put(self, principal: Principal, name: str, draft: SecretDraft) -> StoredSecret:
        """Made where it is not there, changed where it is. Raises: as `create` and `update`."""
        known = await self._metadata.read(lambda session: session.secrets.get(principal, name))
        return await (self.create if known is None else self.update)(principal, name, draft)

    async def delete(self, principal: Principal, name: str) -> None:
        """Raises: NotFoundError."""
        if not await self._metadata.write(lambda session: session.secrets.delete(principal, name)):
            raise NotFoundError.of("secret", name)
        await self.load()

    async def load(self) -> None:
        """Open what is stored, for requests to use; and what an older key of the operator's sealed, seal anew.

        Called at the start, after every change, and now and then: a command may have changed something.
        """
        rows = await self._metadata.read(lambda session: session.secrets.everyones())
        stored = [(principal.organization_id, secret) for principal, secret in rows]
        if stored == self._known:
            return
        opened = [one for one in (self._opened(*row) for row in stored) if one is not None]
        self._held.hold(opened)
        self._known = stored
        old = [row for row in stored if row[1].key_mark != self._sealer.mark]
        if old and self._sealer.mark is not None:
            await self._metadata.write(lambda session: self._seal_anew(session, old))

    def _opened(self, organization_id: str, secret: StoredSecret) -> OpenedSecret | None:
        try:
            value = self._sealer.open(organization_id, secret.name, secret.sealed, secret.key_mark)
        except SecretRefusedError as error:
            _LOG.error("%s; it cannot be used until that key is given again or the secret is set anew", error.message)
            return None
        return OpenedSecret(organization_id, secret.name, SecretStr(value), secret.hosts, secret.namespaces)

    def _seal_anew(self, session: Session, rows: Sequence[tuple[str, StoredSecret]]) -> None:
        for organization_id, secret in rows:
            principal = Principal(organization_id)
            current = session.secrets.get(principal, secret.name)
            opened = self._opened(organization_id, secret) if current == secret else None
            if opened is not None:
                session.secrets.put(principal, self._sealed(organization_id, secret, opened.value))

    async def _written(self, write: Callable[[Session], StoredSecret], draft: SecretDraft) -> StoredSecret:
        if self._sealer.mark is None:
            raise NotSetUpError(
                "secrets (TAMIS_SECRET_KEY or TAMIS_SECRET_KEY_FILE, the key that they are sealed with)"
            )
        _check(draft)
        secret = await self._metadata.write(write)
        await self.load()
        return secret

    def _put(self, session: Session, principal: Principal, secret: StoredSecret, draft: SecretDraft) -> StoredSecret:
        if draft.hosts is not None:
            secret = replace(secret, hosts=tuple(dict.fromkeys(host.lower().rstrip(".") for host in draft.hosts)))
        if draft.namespaces is not None:
            secret = replace(secret, namespaces=_namespace_ids(session, principal, draft.namespaces) or None)
        if draft.value is not None:
            secret = self._sealed(principal.organization_id, secret, draft.value)
        session.secrets.put(principal, secret)
        return secret

    def _sealed(self, organization_id: str, secret: StoredSecret, value: SecretStr) -> StoredSecret:
        sealed = self._sealer.seal(organization_id, secret.name, value.get_secret_value())
        return replace(secret, sealed=sealed, key_mark=self._sealer.mark or "")


def _check(draft: SecretDraft) -> None:
    """Raises: ValidationError, which repeats no value."""
    if draft.value is not None and not _SHORTEST <= len(draft.value.get_secret_value()) <= _LONGEST:
        message = f"{_SHORTEST} to {_LONGEST} characters: a shorter one would be taken out of answers by chance"
        raise ValidationError.at(["body", "secret_value"], message)
    for place, host in enumerate(draft.hosts or ()):
        if not _HOST.fullmatch(host.lower().rstrip(".")):
            message = "an exact host name without port, as api.example.com, or http://host where it may go unencrypted"
            raise ValidationError.at(["body", "hosts", place], message)


def _namespace_ids(session: Session, principal: Principal, named: Sequence[str]) -> tuple[str, ...]:
    found = []
    for place, identifier in enumerate(named):
        namespace = session.namespaces.get(principal, identifier)
        if namespace is None:
            raise ValidationError.at(["body", "namespaces", place], f"there is no namespace {identifier!r}")
        found.append(namespace.namespace_id)
    return tuple(found)
