"""Raw input: buckets, their objects, the blobs inside, and uploads on their way."""

from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.files import file_keys
from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Bucket:
    """schema: `{"properties": {name: {"type": ..., ...}}}` as the contract's BucketSchema, defaults filled in."""

    bucket_id: str
    name: str
    schema: dict[str, JSON]
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    unique_key: dict[str, JSON] | None = None
    is_locked: bool = False
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class Blob:
    """One property of an object. `data` holds small JSON values and text; a file stands behind `url`.

    url: `blob://<key>` in our blob store, or the caller's own `https://`, `s3://`.
    """

    blob_id: str
    property: str
    type: str
    data: JSON = None
    url: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    key_prefix: str | None = None
    filename: str | None = None
    size_bytes: int | None = None
    mime_type: str | None = None
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class BucketObject:
    """One object. `fields`: the metadata that came with it, at the root of the contract's ObjectResponse."""

    object_id: str
    bucket_id: str
    created_at: datetime
    updated_at: datetime
    blobs: tuple[Blob, ...] = ()
    fields: dict[str, JSON] = field(default_factory=dict)
    key_prefix: str | None = None
    status: str = "DRAFT"
    error: str | None = None
    skip_duplicates: bool = False
    content_hash: str | None = None
    unique_key: str | None = None

    @property
    def file_keys(self) -> frozenset[str]:
        """Of the files that the store keeps by their content, those that this object needs."""
        return file_keys(blob.url for blob in self.blobs)

    def view(self) -> dict[str, JSON]:
        """What filters, input mappings and passthrough see: the fields, and each blob's value under its property."""
        return {
            **{blob.property: blob.data if blob.url is None else blob.url for blob in self.blobs},
            **self.fields,
            "object_id": self.object_id,
            "bucket_id": self.bucket_id,
            "key_prefix": self.key_prefix,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in: announced, sent to its presigned URL, confirmed."""

    upload_id: str
    bucket_id: str
    filename: str
    content_type: str
    blob_key: str
    created_at: datetime
    expires_at: datetime
    presigned_url_expiration: int
    status: str = "PENDING"
    blob_property: str | None = None
    blob_type: str | None = None
    create_object_on_confirm: bool = True
    file_hash: str | None = None
    file_size_bytes: int | None = None
    etag: str | None = None
    skip_duplicates: bool = True
    duplicate_of_upload_id: str | None = None
    object_id: str | None = None
    task_id: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    object_metadata: dict[str, JSON] | None = None
    completed_at: datetime | None = None
    verified_at: datetime | None = None
