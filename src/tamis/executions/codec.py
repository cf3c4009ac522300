"""The bytes of a record: a version byte, then MessagePack under zstandard.

Format 1. Fields are only ever added at the end, with a default, so that every older record of a format stays readable;
anything else is a new format, with a sample of the old one in tests/formats.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import msgspec
import numpy as np
import orjson
import zstandard

from tamis.errors import StorageError
from tamis.executions.calls import CallRow, unpack_calls
from tamis.executions.columns import Ids, Ranking, Rows
from tamis.executions.record import (
    CollectionState,
    Imported,
    Record,
    RecordedCall,
    RecordedError,
    RecordedHit,
    RecordedStage,
    Replay,
    StageOutcome,
)
from tamis.model.execution import StoredExecution

FORMAT = 1
# As level -1, in less memory: on the way to an answer a table of 128 kB costs more than what compression spares.
_COMPRESSION = zstandard.ZstdCompressionParameters(
    window_log=17,
    chain_log=6,
    hash_log=12,
    search_log=1,
    min_match=5,
    target_length=1,
    strategy=zstandard.STRATEGY_FAST,
)
_LARGEST_BYTES = 1 << 30
Hits: TypeAlias = tuple[RecordedHit, ...]
_LONG_NUMBER = re.compile(r"\d{19}")


class StageRow(msgspec.Struct, array_like=True):
    """parameters: None where the definition's own were used.  received: None where it is what was returned before."""

    index: int
    outcome: str
    parameters: dict[str, Any] | None
    received: Ranking | None
    returned: Ranking | None
    processed: int
    duration_ms: float
    credits_used: float = 0.0
    tokens_used: int | None = None
    llm_calls: int | None = None
    cache_key: str | None = None
    cache_hit: bool | None = None
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    error: str | None = None
    limit: str | None = None
    calls: list[CallRow] = []
    credits_saved: float = 0.0
    shrunk: dict[str, Any] = {}


class CollectionRow(msgspec.Struct, array_like=True):
    collection_id: str
    extractor_id: str
    revision: int
    version: int = 0


class Body(msgspec.Struct, array_like=True):
    """Everything of a record that its header and its inputs do not say. definition: encoded once for each plan."""

    definition: msgspec.Raw
    definition_hash: bytes
    retriever_version: int | None
    seed: int
    code_version: str
    models: dict[str, str]
    collections: list[CollectionRow]
    ids: Ids
    revisions: list[int]
    stages: list[StageRow]
    warnings: list[str] = []
    error: tuple[str, str, dict[str, Any]] | None = None
    replay: tuple[str, str] | None = None
    traceparent: str | None = None
    left_out: list[str] = []
    imported: tuple[str | None, str, dict[str, Any]] | None = None
    is_taped: bool = False
    narrowing: dict[str, Any] | None = None


def encode(body: Body) -> bytes:
    return bytes([FORMAT]) + _zstd().compress(_packed(body))


def encode_part(value: Any) -> msgspec.Raw:
    return msgspec.Raw(_packed(value))


def _packed(value: Any) -> bytes:
    """MessagePack knows no integers beyond 64 bits: they are written as the text of their digits, as in the hashes."""
    try:
        return _encoder().encode(value)
    except OverflowError:
        return _encoder().encode(_with_digits(value))


def _with_digits(value: Any) -> Any:
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, msgspec.Struct):
        return type(value)(*(_with_digits(getattr(value, name)) for name in value.__struct_fields__))
    if isinstance(value, Mapping):
        return {key: _with_digits(item) for key, item in value.items()}
    return [_with_digits(item) for item in value] if isinstance(value, list | tuple) else value


def _inputs(text: str) -> dict[str, Any]:
    """Not orjson where integers are longer than 64 bits: it would read them as floats, or not at all."""
    if not text:  # left out by the namespace's policy
        return {}
    inputs: dict[str, Any] = json.loads(text) if _LONG_NUMBER.search(text) else orjson.loads(text)
    return inputs


B = TypeVar("B", bound=msgspec.Struct)


def decode(stored: StoredExecution) -> Record:
    """Raises: StorageError where the bytes are of no format that this version reads."""
    body = unpack(stored, Body)
    with readable(stored):
        definition = msgspec.msgpack.decode(body.definition)
        rows = Rows(body.ids)
        stages: list[RecordedStage] = []
        before: Hits = ()
        for row in body.stages:
            received = before if row.received is None else rows.read(row.received)
            before = received if row.returned is None else rows.read(row.returned)
            calls = unpack_calls(row.calls, rows.ids, body.revisions)
            stages.append(stage_of(row, definition, received, before, calls))
        return record_of(stored, body, definition, rows.ids, tuple(stages))


def unpack(stored: StoredExecution, kind: type[B]) -> B:
    """The body, as `kind` has its fields. Raises: StorageError."""
    version = stored.record[0] if stored.record else 0
    if version != FORMAT:
        raise StorageError(f"execution record of format {version}; this version of Tamis reads format {FORMAT}")
    with readable(stored):
        packed = zstandard.ZstdDecompressor().decompress(stored.record[1:], max_output_size=_LARGEST_BYTES)
        return msgspec.msgpack.decode(packed, type=kind)


@contextmanager
def readable(stored: StoredExecution) -> Iterator[None]:
    """What goes wrong while reading is a damaged record."""
    try:
        yield
    except (msgspec.MsgspecError, zstandard.ZstdError, ValueError, LookupError) as error:
        raise StorageError(f"the record of {stored.header.execution_id} is damaged: {error}") from error


def record_of(
    stored: StoredExecution, body: Body, definition: dict[str, Any], ids: list[str], stages: tuple[RecordedStage, ...]
) -> Record:
    return Record(
        format=FORMAT,
        header=stored.header,
        inputs=_inputs(stored.inputs),
        definition=definition,
        definition_hash=body.definition_hash.hex(),
        retriever_version=body.retriever_version,
        seed=body.seed,
        code_version=body.code_version,
        models=body.models,
        collections=tuple(CollectionState(*msgspec.structs.astuple(one)) for one in body.collections),
        revisions={key: revision for key, revision in zip(ids, body.revisions, strict=True) if revision},
        stages=stages,
        warnings=tuple(body.warnings),
        error=RecordedError(*body.error) if body.error else None,
        replay=Replay(*body.replay) if body.replay else None,
        traceparent=body.traceparent,
        left_out=tuple(body.left_out),
        imported=Imported(*body.imported) if body.imported else None,
        is_taped=body.is_taped,
        narrowing=body.narrowing,
    )


def stage_of(
    row: StageRow, definition: dict[str, Any], received: Hits, returned: Hits, calls: tuple[RecordedCall, ...]
) -> RecordedStage:
    spec = definition["stages"][row.index]
    return RecordedStage(
        index=row.index,
        stage_name=spec["stage_name"],
        stage_id=spec["stage_id"],
        outcome=StageOutcome(row.outcome),
        parameters=spec["parameters"] if row.parameters is None else row.parameters,
        received=received,
        returned=returned,
        processed=row.processed,
        duration_ms=row.duration_ms,
        credits_used=row.credits_used,
        tokens_used=row.tokens_used,
        llm_calls=row.llm_calls,
        cache_key=row.cache_key,
        cache_hit=row.cache_hit,
        metadata=row.metadata,
        warnings=tuple(row.warnings),
        error=row.error,
        limit=row.limit,
        calls=calls,
        credits_saved=row.credits_saved,
        shrunk=row.shrunk,
    )


_local = threading.local()


def _zstd() -> zstandard.ZstdCompressor:
    """One for each thread: it is costly to make and not safe to share."""
    if not hasattr(_local, "zstd"):
        _local.zstd = zstandard.ZstdCompressor(compression_params=_COMPRESSION)
    compressor: zstandard.ZstdCompressor = _local.zstd
    return compressor


def _encoder() -> msgspec.msgpack.Encoder:
    if not hasattr(_local, "encoder"):
        _local.encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
    encoder: msgspec.msgpack.Encoder = _local.encoder
    return encoder


def _plain(value: Any) -> Any:
    """Stages may leave numbers of numpy or mappings of their own in what they say."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if hasattr(value, "keys"):
        return dict(value)
    return str(value)
