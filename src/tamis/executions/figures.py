"""What an execution is counted by: how its stages ended, how long each took, how many documents went in and came out.

Read from a record's bytes without its hits, as cheaply as can be: every record is read so when it comes to its table,
and once more when it is deleted.
"""

import threading
from functools import lru_cache

import msgspec
import zstandard

from tamis.errors import StorageError
from tamis.executions.codec import FORMAT
from tamis.model.execution import StageFigures, StoredExecution

_LARGEST_BYTES = 1 << 30
_FIX_ARRAY, _ARRAY_16 = 0x90, 0xDC
_MOST_DEFINITIONS = 256


class _Ranking(msgspec.Struct, array_like=True):
    rows: msgspec.Raw


class _Row(msgspec.Struct, array_like=True):
    """The first fields of `codec.StageRow`, of which less is read."""

    index: int
    outcome: str
    parameters: msgspec.Raw
    received: _Ranking | None
    returned: _Ranking | None
    processed: int
    duration_ms: float
    credits_used: float = 0.0
    tokens_used: int | None = None
    llm_calls: int | None = None
    cache_key: str | None = None
    cache_hit: bool | None = None


class _Body(msgspec.Struct, array_like=True):
    """The first fields of `codec.Body`, of which less is read."""

    definition: msgspec.Raw
    definition_hash: bytes
    retriever_version: msgspec.Raw
    seed: msgspec.Raw
    code_version: msgspec.Raw
    models: msgspec.Raw
    collections: msgspec.Raw
    ids: msgspec.Raw
    revisions: msgspec.Raw
    stages: list[_Row]


class _Stage(msgspec.Struct):
    stage_name: str
    stage_id: str


class _Definition(msgspec.Struct):
    stages: list[_Stage]


_bodies = msgspec.msgpack.Decoder(_Body)
_definitions = msgspec.msgpack.Decoder(_Definition)
_local = threading.local()


def stage_figures(stored: StoredExecution) -> tuple[StageFigures, ...]:
    """Of each stage that ran, in order. Cost: some 10 microseconds. Raises: StorageError: the bytes cannot be read."""
    try:
        if stored.record[0] != FORMAT:
            raise ValueError(f"it is of format {stored.record[0]}")
        packed = _zstd().decompress(stored.record[1:], max_output_size=_LARGEST_BYTES)
        body = _bodies.decode(packed)
        return _figures(body.stages, _stages(bytes(body.definition)))
    except (msgspec.MsgspecError, zstandard.ZstdError, ValueError, LookupError) as error:
        raise StorageError(f"the record of {stored.header.execution_id} is damaged: {error}") from error


def _figures(rows: list[_Row], stages: list[_Stage]) -> tuple[StageFigures, ...]:
    """A ranking that is not written is the one before it."""
    figures = []
    before = 0
    for row in rows:
        received = before if row.received is None else _length(row.received.rows)
        before = received if row.returned is None else _length(row.returned.rows)
        stage = stages[row.index]
        figures.append(
            StageFigures(
                stage.stage_name, stage.stage_id, row.outcome, row.duration_ms, received, before, row.cache_hit
            )
        )
    return tuple(figures)


def _length(rows: msgspec.Raw) -> int:
    """Of an array of MessagePack, by what it begins with."""
    packed = memoryview(rows)
    kind = packed[0]
    if kind < _ARRAY_16:
        return kind - _FIX_ARRAY
    return int.from_bytes(packed[1 : 3 if kind == _ARRAY_16 else 5], "big")


@lru_cache(maxsize=_MOST_DEFINITIONS)
def _stages(definition: bytes) -> list[_Stage]:
    return _definitions.decode(definition).stages


def _zstd() -> zstandard.ZstdDecompressor:
    """One for each thread: it is costly to make and not safe to share."""
    if not hasattr(_local, "zstd"):
        _local.zstd = zstandard.ZstdDecompressor()
    decompressor: zstandard.ZstdDecompressor = _local.zstd
    return decompressor
