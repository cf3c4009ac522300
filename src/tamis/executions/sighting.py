"""Which executions saw a document, and what became of it there: read from a record without making its hits."""

from dataclasses import dataclass

import msgspec

from tamis.executions.codec import readable, unpack
from tamis.executions.columns import Ids
from tamis.executions.opening import OpenedRecord, Side
from tamis.executions.record import StageOutcome
from tamis.model.execution import StoredExecution


@dataclass(frozen=True, slots=True)
class Sighting:
    """rank: in what the last stage let through, from 1.  stage: else the one that did not let it through, by name."""

    rank: int | None
    stage: str | None = None


class _Beginning(msgspec.Struct, array_like=True):
    """Of a record's body as much as says which ids are in it."""

    definition: msgspec.Raw
    definition_hash: msgspec.Raw
    retriever_version: msgspec.Raw
    seed: msgspec.Raw
    code_version: msgspec.Raw
    models: msgspec.Raw
    collections: msgspec.Raw
    ids: Ids


def may_mention(stored: StoredExecution, document_id: str) -> bool:
    """False where the record never saw it. Cost: some microseconds. Raises: StorageError."""
    body = unpack(stored, _Beginning)
    with readable(stored):
        ids = body.ids
        if not ids.packed:
            return document_id in ids.texts
        return document_id.startswith(ids.prefix) and document_id[len(ids.prefix) :] in ids.packed.hex()


def sighting(stored: StoredExecution, document_id: str) -> Sighting | None:
    """None where no stage was given it or brought it. Raises: StorageError."""
    opened = OpenedRecord(stored)
    stages = opened.record.stages
    ways = [
        (opened.rank(Side(n, False), document_id), opened.rank(Side(n, True), document_id)) for n in range(len(stages))
    ]
    passed = [
        None if stage.outcome is StageOutcome.FAILED else came_out
        for stage, (_, came_out) in zip(stages, ways, strict=True)
    ]
    if passed and passed[-1] is not None:
        return Sighting(passed[-1])
    last = max((n for n, (went_in, came_out) in enumerate(ways) if went_in or came_out), default=None)
    return None if last is None else Sighting(None, stages[last].stage_name)
