"""From an object as it was sent to an object as it will be kept, by the bucket's schema. Nothing is stored here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tamis.errors import BadRequestError, ValidationError
from tamis.model.bucket import Blob, Bucket, BucketObject, Upload
from tamis.model.canonical import sha256_of
from tamis.model.ids import derived_id, new_id
from tamis.model.json import JSON
from tamis.services.data.blob_intake import BlobDraft, Intake, take
from tamis.services.data.bucket_schema import (
    FILE_TYPES,
    Loc,
    Problem,
    fits,
    problem,
    properties,
    refuse,
    unknown_property,
    value_problems,
)
from tamis.services.json_values import check_json

SYSTEM_FIELDS = frozenset({"object_id", "bucket_id", "key_prefix", "status"})
"""What an object's view says of the object itself; metadata of these names would never be seen."""

POLICIES = ("insert", "update", "upsert")


@dataclass(frozen=True, slots=True)
class ObjectDraft:
    """idempotency_key: the same key in the same bucket gives the same object."""

    blobs: tuple[BlobDraft, ...] = ()
    fields: dict[str, JSON] = field(default_factory=dict)
    key_prefix: str | None = None
    skip_duplicates: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """None leaves as it is. merge: fields are laid over those that are there, null removing one; else they replace."""

    blobs: tuple[BlobDraft, ...] | None = None
    fields: dict[str, JSON] | None = None
    key_prefix: str | None = None
    skip_duplicates: bool | None = None
    merge: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """An object that its bucket accepts, and its files on their way into the blob store."""

    object: BucketObject
    intakes: tuple[Intake, ...] = ()
    idempotent: bool = False

    def stored(self, keys: Mapping[str, str]) -> "Prepared":
        """With where its files lie. keys: of the store, by content."""
        if not any(intake.payload is not None for intake in self.intakes):
            return self
        blobs = tuple(intake.stored(keys) for intake in self.intakes)
        return replace(self, object=replace(self.object, blobs=blobs))


def prepare(bucket: Bucket, draft: ObjectDraft, uploads: Mapping[str, Upload], loc: Loc) -> Prepared:
    """Raises: ValidationError with every fault found, each under `loc`."""
    key = draft.idempotency_key
    object_id = new_id("obj") if key is None else derived_id("obj", bucket.bucket_id, key)
    now = datetime.now(UTC)
    intakes = _intakes(bucket, draft.blobs, uploads, loc)
    promoted = _promoted(draft.blobs)
    shell = BucketObject(
        object_id,
        bucket.bucket_id,
        now,
        now,
        key_prefix=draft.key_prefix,
        skip_duplicates=draft.skip_duplicates,
    )
    blobs = tuple(intake.blob for intake in intakes)
    kept = _finished(bucket, shell, blobs, {**promoted, **draft.fields}, loc)
    return Prepared(kept, intakes, idempotent=key is not None)


def prepare_change(
    bucket: Bucket, before: BucketObject, change: ObjectChange, uploads: Mapping[str, Upload]
) -> Prepared:
    """The object after a change, checked whole. Raises: ValidationError."""
    loc = ["body"]
    drafts = change.blobs or ()
    intakes = _intakes(bucket, drafts, uploads, loc)
    blobs = before.blobs if change.blobs is None else tuple(intake.blob for intake in intakes)
    shell = replace(
        before,
        key_prefix=before.key_prefix if change.key_prefix is None else change.key_prefix,
        skip_duplicates=before.skip_duplicates if change.skip_duplicates is None else change.skip_duplicates,
    )
    fields = {**_promoted(drafts), **_changed_fields(before, change)}
    return Prepared(_finished(bucket, shell, blobs, fields, loc), intakes)


def check_policy(bucket: Bucket, policy: str | None) -> str:
    """The policy in force. Raises: ValidationError (unknown), BadRequestError (none, or one without a unique key)."""
    if policy is not None and policy not in POLICIES:
        raise ValidationError.at(["query", "policy"], f"one of {', '.join(POLICIES)}")
    if bucket.unique_key is None:
        if policy in ("update", "upsert"):
            raise BadRequestError(f"policy '{policy}' needs a bucket with a unique_key; {bucket.name!r} has none")
        return "insert"
    chosen = policy or bucket.unique_key.get("default_policy")
    if not isinstance(chosen, str):
        raise BadRequestError(
            "this bucket has a unique_key without a default_policy: send ?policy=insert, update or upsert"
        )
    return chosen


def _changed_fields(before: BucketObject, change: ObjectChange) -> dict[str, JSON]:
    if change.fields is None:
        return before.fields
    if not change.merge:
        return change.fields
    return {name: value for name, value in {**before.fields, **change.fields}.items() if value is not None}


def _finished(
    bucket: Bucket, shell: BucketObject, blobs: tuple[Blob, ...], fields: Mapping[str, JSON], loc: Loc
) -> BucketObject:
    check_json(dict(fields), loc)
    whole = _with_defaults(bucket, blobs, fields)
    refuse([*_field_problems(bucket, blobs, whole, loc)])
    kept = replace(shell, blobs=blobs, fields=whole)
    return replace(kept, content_hash=_content_hash(kept, loc), unique_key=_unique_key(bucket, kept, loc))


def _intakes(
    bucket: Bucket, drafts: Sequence[BlobDraft], uploads: Mapping[str, Upload], loc: Loc
) -> tuple[Intake, ...]:
    problems: list[Problem] = []
    for place, draft in enumerate(drafts):
        problems.extend(_blob_problems(bucket, draft, [*loc, "blobs", place]))
    refuse(problems)
    intakes = []
    for place, draft in enumerate(drafts):
        here = [*loc, "blobs", place]
        check_json([draft.data, draft.metadata, draft.key_prefix], here)
        upload = uploads[draft.upload_id] if draft.upload_id else None
        intakes.append(take(_typed(bucket, draft), upload, here))
    return tuple(intakes)


def _blob_problems(bucket: Bucket, draft: BlobDraft, loc: Loc) -> Iterator[Problem]:
    declared = properties(bucket.schema).get(draft.property)
    if sum(source is not None for source in (draft.data, draft.upload_id, draft.file)) != 1:
        yield problem([*loc, "data"], "a blob has either data or upload_id")
    elif properties(bucket.schema) and declared is None:
        yield unknown_property(draft.property, bucket.schema, [*loc, "property"])
    elif declared is not None and not fits(draft.type, declared["type"]):
        message = f"{draft.property!r} is declared as {declared['type']}, which {draft.type} is not"
        yield problem([*loc, "type"], message)
    elif declared is not None and draft.data is not None:
        yield from value_problems(draft.data, declared, [*loc, "data"])


def _typed(bucket: Bucket, draft: BlobDraft) -> BlobDraft:
    """`automatic` is what the schema says it is."""
    declared = properties(bucket.schema).get(draft.property)
    return replace(draft, type=declared["type"]) if declared and draft.type == "automatic" else draft


def _promoted(drafts: Sequence[BlobDraft]) -> dict[str, JSON]:
    """Metadata of the blobs, as fields of the object, where filters and passthrough find it; the first blob wins."""
    fields: dict[str, JSON] = {}
    taken = SYSTEM_FIELDS | {draft.property for draft in drafts}
    for draft in reversed(drafts):
        fields.update((name, value) for name, value in draft.metadata.items() if name not in taken)
    return fields


def _with_defaults(bucket: Bucket, blobs: Sequence[Blob], fields: Mapping[str, JSON]) -> dict[str, JSON]:
    given = {blob.property for blob in blobs} | {name for name, value in fields.items() if value is not None}
    defaults = {
        name: declared["default"]
        for name, declared in properties(bucket.schema).items()
        if name not in given and declared.get("default") is not None and declared["type"] not in FILE_TYPES
    }
    return {**fields, **defaults}


def _field_problems(bucket: Bucket, blobs: Sequence[Blob], fields: Mapping[str, JSON], loc: Loc) -> Iterator[Problem]:
    for name in sorted(SYSTEM_FIELDS & fields.keys()):
        yield problem([*loc, "metadata", name], f"{name!r} is a field of the object itself; choose another name")
    in_blobs = {blob.property for blob in blobs}
    for name, declared in properties(bucket.schema).items():
        if name in in_blobs:
            continue
        if fields.get(name) is not None:
            yield from value_problems(fields[name], declared, [*loc, name])
        elif declared.get("required"):
            yield problem([*loc, "blobs"], f"this bucket requires {name!r}, of type {declared['type']}")


def _content_hash(kept: BucketObject, loc: Loc) -> str:
    """Over what the object says, not over when or under which id it came."""
    blobs: list[Any] = [[blob.property, blob.type, blob.hash or blob.url or blob.data] for blob in kept.blobs]
    return sha256_of({"blobs": blobs, "fields": kept.fields}, [*loc])


def _unique_key(bucket: Bucket, kept: BucketObject, loc: Loc) -> str | None:
    """The hash of the key's fields, whose order does not matter. Raises: ValidationError where one is missing."""
    if bucket.unique_key is None:
        return None
    parts = bucket.unique_key["fields"]
    names = sorted(str(part) for part in parts) if isinstance(parts, list) else []
    view = kept.view()
    refuse(
        [
            problem([*loc, name], "a part of the bucket's unique key: it may not be missing or empty")
            for name in names
            if view.get(name) in (None, "")
        ]
    )
    return sha256_of([[name, view[name]] for name in names], [*loc])
