"""Connections to storages of others and what is copied from them, in the system of record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.bucket_sync import BucketSync, FileState, SyncedFile
from tamis.model.principal import Principal
from tamis.model.storage_connection import StorageConnection


class StorageConnections(Protocol):
    """Of an organisation; each has an id and a name."""

    def insert(self, principal: Principal, connection: StorageConnection) -> None:
        """Raises: AlreadyExistsError (name)."""
        ...

    def get(self, principal: Principal, identifier: str) -> StorageConnection | None:
        """By id, else by name."""
        ...

    def list(self, principal: Principal) -> Sequence[StorageConnection]:
        """Newest first."""
        ...

    def replace(self, principal: Principal, connection: StorageConnection) -> None:
        """Raises: NotFoundError, AlreadyExistsError (name)."""
        ...

    def delete(self, principal: Principal, connection_id: str) -> bool: ...
    def everyones(self) -> Sequence[tuple[Principal, StorageConnection]]:
        """Of every tenant."""
        ...


class BucketSyncs(Protocol):
    def insert(self, principal: Principal, sync: BucketSync) -> None: ...
    def get(self, principal: Principal, sync_id: str) -> BucketSync | None: ...
    def list(self, principal: Principal, bucket_id: str) -> Sequence[BucketSync]:
        """Newest first."""
        ...

    def replace(self, principal: Principal, sync: BucketSync) -> None:
        """Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, sync_id: str) -> bool:
        """With what is known of its files."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[tuple[Principal, BucketSync]]:
        """Of every tenant, those whose time has come, the oldest first."""
        ...

    def running(self) -> Sequence[tuple[Principal, BucketSync]]:
        """Of every tenant, those with a run under way."""
        ...

    def put_files(self, principal: Principal, sync_id: str, files: Sequence[SyncedFile]) -> None:
        """Insert, or replace those of the same path."""
        ...

    def files(self, principal: Principal, sync_id: str, paths: Sequence[str]) -> Mapping[str, SyncedFile]:
        """By path; what is not known is left out."""
        ...

    def files_in(
        self, principal: Principal, sync_id: str, state: FileState, after: str, limit: int
    ) -> Sequence[SyncedFile]:
        """By path, those behind one."""
        ...

    def following(self, principal: Principal, sync_id: str, after: str, limit: int) -> Sequence[SyncedFile]:
        """By path, those behind one."""
        ...

    def delete_files(self, principal: Principal, sync_id: str, paths: Sequence[str]) -> None: ...
