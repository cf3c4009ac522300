"""An organisation's ways into storages of others: what opens them is sealed when it comes, and never given back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.secrets import Sealer
from tamis.engine.ports.storages import OpenStorage, Storages
from tamis.errors import ConflictError, NotFoundError, NotSetUpError, TamisError, ValidationError
from tamis.model.batch import TaskStatus
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.storage_connection import SourceFolder, StorageConnection, StorageProvider
from tamis.services.access.storage_providers import (
    Settings,
    has_secrets,
    parse_settings,
    shown_settings,
    whole_settings,
)
from tamis.services.json_values import check_json
from tamis.services.naming import check_name

_LONGEST_ERROR = 1000
_RESERVED = frozenset({"list"})
_SETTABLE = (TaskStatus.ACTIVE, TaskStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """None leaves what is there. config: in place of all that there was."""

    name: str | None = None
    description: str | None = None
    metadata: Mapping[str, JSON] | None = None
    config: Mapping[str, Any] | None = None
    status: TaskStatus | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    success: bool
    message: str


class StorageConnectionService:
    def __init__(self, metadata: Metadata, sealer: Sealer, storages: Storages, clock: Clock) -> None:
        self._metadata = metadata
        self._sealer = sealer
        self._storages = storages
        self._clock = clock

    async def create(
        self, principal: Principal, provider: StorageProvider, draft: ConnectionChange, test: bool = True
    ) -> StorageConnection:
        """test: whether it must get in before it is kept.

        Raises: ValidationError, AlreadyExistsError, NotBuiltError (provider), OutsideRefusedError,
        StorageConnectionError, NotSetUpError where the operator gave no key to seal with.
        """
        _check(draft)
        now = self._clock.now()
        shell = StorageConnection(
            new_id("conn"), draft.name or "", provider, {}, now, now,
            created_by=principal.user_id or "", description=draft.description or None, metadata=draft.metadata or {},
        )  # fmt: skip
        made = await self._configured(principal, shell, draft.config or {}, test)
        await self._metadata.write(lambda session: session.storage_connections.insert(principal, made))
        return made

    async def get(self, principal: Principal, identifier: str) -> StorageConnection:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_connection(session, principal, identifier))

    async def list(self, principal: Principal) -> Sequence[StorageConnection]:
        """Newest first."""
        return await self._metadata.read(lambda session: session.storage_connections.list(principal))

    async def change(self, principal: Principal, identifier: str, change: ConnectionChange) -> StorageConnection:
        """Raises: as `create`; new settings are tried before they are kept."""
        _check(change)
        before = await self.get(principal, identifier)
        tried = None if change.config is None else await self._configured(principal, before, change.config, True)

        def write(session: Session) -> StorageConnection:
            now = find_connection(session, principal, before.connection_id)
            if tried is not None:
                now = replace(now, config=tried.config, sealed=tried.sealed, key_mark=tried.key_mark, failures=0)
            now = replace(
                now,
                name=now.name if change.name is None else change.name,
                description=now.description if change.description is None else change.description or None,
                metadata=now.metadata if change.metadata is None else change.metadata,
                status=change.status or now.status,
                updated_at=self._clock.now(),
            )
            session.storage_connections.replace(principal, now)
            return now

        return await self._metadata.write(write)

    async def delete(self, principal: Principal, identifier: str) -> StorageConnection:
        """With its credentials; syncs that use it stop at their next run. Raises: NotFoundError."""

        def remove(session: Session) -> StorageConnection:
            found = find_connection(session, principal, identifier)
            session.storage_connections.delete(principal, found.connection_id)
            return found

        return await self._metadata.write(remove)

    async def test(self, principal: Principal, identifier: str) -> Tested:
        """Whether it gets in now. Raises: NotFoundError."""
        connection = await self.get(principal, identifier)
        try:
            told = await (await self._opened(principal, connection)).check()
        except TamisError as error:
            await self.note(principal, connection.connection_id, error.message)
            return Tested(False, error.message)
        await self.note(principal, connection.connection_id, None)
        return Tested(True, told)

    async def folder(self, principal: Principal, identifier: str, path: str, most: int = 100) -> SourceFolder:
        """What lies in a folder. Raises: as `open`, and as OpenStorage."""
        _, storage = await self.open(principal, identifier)
        return await storage.folder(path.strip("/"), most)

    async def open(self, principal: Principal, identifier: str) -> tuple[StorageConnection, OpenStorage]:
        """Raises: NotFoundError, ConflictError where it is suspended, OutsideRefusedError, SecretRefusedError."""
        connection = await self.get(principal, identifier)
        if not connection.is_active:
            raise ConflictError(f"the connection {connection.name!r} is {connection.status}; make it ACTIVE first")
        return connection, await self._opened(principal, connection)

    async def note(self, principal: Principal, connection_id: str, error: str | None) -> None:
        """How an attempt to get in went. error: None where it did."""

        def write(session: Session) -> None:
            found = session.storage_connections.get(principal, connection_id)
            if found is None:
                return
            if error is None:
                after = replace(found, last_used_at=self._clock.now(), last_error=None, failures=0)
            else:
                after = replace(found, last_error=error[:_LONGEST_ERROR], failures=found.failures + 1)
            session.storage_connections.replace(principal, after)

        await self._metadata.write(write)

    async def seal_anew(self) -> None:
        """What an older key of the operator's sealed; called at the start."""
        if self._sealer.mark is None:
            return
        rows = await self._metadata.read(lambda session: session.storage_connections.everyones())
        for principal, connection in rows:
            if connection.sealed and connection.key_mark != self._sealer.mark:
                await self._metadata.write(partial(self._resealed, principal=principal, seen=connection))

    def _resealed(self, session: Session, principal: Principal, seen: StorageConnection) -> None:
        now = session.storage_connections.get(principal, seen.connection_id)
        if now is None or now.sealed != seen.sealed:
            return
        try:
            config = self._unsealed(principal, now)
        except TamisError:
            return  # whoever uses it is told
        session.storage_connections.replace(principal, self._sealed(principal, now, config))

    async def _opened(self, principal: Principal, connection: StorageConnection) -> OpenStorage:
        """Raises: NotBuiltError, OutsideRefusedError, SecretRefusedError."""
        config = self._unsealed(principal, connection)
        return self._storages.open(principal.organization_id, connection.provider, config)

    async def _configured(
        self, principal: Principal, connection: StorageConnection, raw: Mapping[str, Any], test: bool
    ) -> StorageConnection:
        settings = parse_settings(connection.provider, raw)
        whole = dict(raw) if settings is None else whole_settings(settings)
        storage = self._storages.open(principal.organization_id, connection.provider, whole)
        if settings is None:  # a provider that is not read does not get here
            raise ValidationError.at(["body", "provider_type"], f"{connection.provider} is not read")
        self._check_key(settings)
        if test:
            await storage.check()
        shown = replace(connection, config=shown_settings(settings))
        return self._sealed(principal, shown, whole) if has_secrets(settings) else replace(shown, sealed="")

    def _check_key(self, settings: Settings) -> None:
        if has_secrets(settings) and self._sealer.mark is None:
            raise NotSetUpError(
                "credentials (TAMIS_SECRET_KEY or TAMIS_SECRET_KEY_FILE, the key that they are sealed with)"
            )

    def _sealed(
        self, principal: Principal, connection: StorageConnection, config: Mapping[str, Any]
    ) -> StorageConnection:
        text = orjson.dumps(config).decode()
        sealed = self._sealer.seal(principal.organization_id, connection.connection_id, text)
        return replace(connection, sealed=sealed, key_mark=self._sealer.mark or "")

    def _unsealed(self, principal: Principal, connection: StorageConnection) -> Mapping[str, Any]:
        if not connection.sealed:
            return connection.config
        text = self._sealer.open(
            principal.organization_id, connection.connection_id, connection.sealed, connection.key_mark
        )
        config: Mapping[str, Any] = orjson.loads(text)
        return config


def find_connection(session: Session, principal: Principal, identifier: str) -> StorageConnection:
    """By id or name. Raises: NotFoundError."""
    found = session.storage_connections.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("connection", identifier)
    return found


def _check(draft: ConnectionChange) -> None:
    """Raises: ValidationError."""
    if draft.name is not None:
        check_name(draft.name, ["body", "name"], _RESERVED)
    check_json(dict(draft.metadata or {}), ["body", "metadata"])
    if draft.status is not None and draft.status not in _SETTABLE:
        raise ValidationError.at(["body", "status"], f"one of {', '.join(_SETTABLE)}; a deleted one does not come back")
