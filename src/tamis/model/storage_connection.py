"""Where files come from that somebody else keeps: a way into a storage, and what is found there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.batch import TaskStatus
from tamis.model.json import JSON


class StorageProvider(StrEnum):
    """LOCAL, GCS and AZURE are ours, beyond the contract."""

    GOOGLE_DRIVE = "google_drive"
    S3 = "s3"
    SNOWFLAKE = "snowflake"
    SHAREPOINT = "sharepoint"
    TIGRIS = "tigris"
    LOCAL = "local"
    GCS = "gcs"
    AZURE = "azure_blob"


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """config: as it may be shown, with stars for what is secret.  sealed: all of it, under the operator's key.

    key_mark: tells which of the operator's keys; both are empty where nothing in it is secret.
    failures: tests and runs in a row that could not get in.
    """

    connection_id: str
    name: str
    provider: StorageProvider
    config: Mapping[str, JSON]
    created_at: datetime
    updated_at: datetime
    sealed: str = ""
    key_mark: str = ""
    created_by: str = ""
    description: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    status: TaskStatus = TaskStatus.ACTIVE
    last_error: str | None = None
    last_used_at: datetime | None = None
    failures: int = 0

    @property
    def is_active(self) -> bool:
        return self.status is TaskStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class SourceFile:
    """path: from the connection's root, parts joined by '/'.  fingerprint: another one, and its content may differ."""

    path: str
    size_bytes: int
    modified_at: datetime
    fingerprint: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """What lies directly in one. folders: paths.  is_whole: whether that is all of its files."""

    folders: tuple[str, ...]
    files: tuple[SourceFile, ...]
    is_whole: bool = True
