"""The way of one document through a recorded run: where it went in, where it came out, where it was last seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.executions.record import Record, RecordedHit, StageOutcome


@dataclass(frozen=True, slots=True)
class Passage:
    """One document at one stage as it ran. rank_in, rank_out: from 1; None where it was not there.

    score: with which it came out.
    """

    index: int
    stage_name: str
    stage_id: str
    outcome: StageOutcome
    received: int
    returned: int
    rank_in: int | None
    rank_out: int | None
    score: float | None = None
    error: str | None = None


def passages(record: Record, document_id: str) -> tuple[Passage, ...]:
    """Stage by stage, of those that began. What was cut or skipped carries on what it was given."""
    found = []
    for stage in record.stages:
        carried = () if stage.outcome is StageOutcome.FAILED else stage.returned
        rank = _rank(carried, document_id)
        found.append(
            Passage(
                stage.index, stage.stage_name, stage.stage_id, stage.outcome, len(stage.received), len(carried),
                _rank(stage.received, document_id), rank, carried[rank - 1].score if rank else None, stage.error,
            )
        )  # fmt: skip
    return tuple(found)


def stopped_at(way: Sequence[Passage], brings: Sequence[bool]) -> int | None:
    """The position of the one stage that kept the document out of the end; None where it came through.

    That is the stage behind the last that it came out of, or a later one that looks for documents by itself: what
    came before that one decided nothing. brings: whether each stage does.
    """
    last = max((n for n, passage in enumerate(way) if passage.rank_out is not None), default=-1)
    if last == len(way) - 1:
        return None
    return max(last + 1, max((n for n, own in enumerate(brings) if own), default=0))


def is_mentioned(record: Record, document_id: str) -> bool:
    """Whether the record saw the document at all."""
    return document_id in record.revisions or any(one.rank_in or one.rank_out for one in passages(record, document_id))


def _rank(hits: Sequence[RecordedHit], document_id: str) -> int | None:
    return next((place for place, hit in enumerate(hits, start=1) if hit.id == document_id and hit.is_document), None)
