"""What a replay may be made of, and what came of it: pure, from the two records."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tamis.engine.planning.rewrites import REWRITE
from tamis.engine.spending.spending import EVERY, Cap
from tamis.engine.tape import PlaybackTape
from tamis.engine.taping.taped import SEARCHER
from tamis.executions.causes import Cause, grounds_of
from tamis.executions.diff import RankingDiff, compare
from tamis.executions.record import Record, RecordedStage, StageOutcome
from tamis.model.execution import ExecutionStatus

_ENDED = (StageOutcome.COMPLETED, StageOutcome.PASSED_OVER, StageOutcome.SKIPPED, StageOutcome.FAILED)
_ABOUT_THE_REQUEST = ("pagination", REWRITE)


class ReplayMode(StrEnum):
    """frozen: everything outside of the stages' own code is answered from the record.  live: on today's data."""

    FROZEN = "frozen"
    LIVE = "live"


class Verdict(StrEnum):
    IDENTICAL = "identical"
    DRIFTED = "drifted"
    NOT_REPLAYABLE = "not_replayable"


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first stage that came to something else. says: what explains it, the strongest first.

    returned: what turns the ranking that it gave then into the one that it gives now.
    """

    stage_index: int
    stage_name: str
    cause: Cause
    says: tuple[str, ...] = ()
    returned: RankingDiff = field(default_factory=RankingDiff)


def why_not_frozen(record: Record) -> str | None:
    """Why the record does not hold what a frozen replay is answered from; None where it does."""
    if record.imported is not None:
        return "it ran on another installation: the documents that it read are not here"
    if record.left_out:
        return f"the namespace's policy keeps {' and '.join(record.left_out)} out of its records"
    if (series := series_of(record)) is not None:
        return f"it is a page of the ranking that {series} left; replay that execution"
    if not record.is_taped:
        return "its record was kept without what its stages asked and were answered"
    if not any(stage.outcome in _ENDED for stage in record.stages):
        return "none of its stages came to an end"
    return None


def why_not_live(record: Record) -> str | None:
    """Why the record does not hold what it takes to run it again; None where it does."""
    if record.imported is not None:
        return "it ran on another installation: its collections are not here"
    if record.left_out:
        return f"the namespace's policy keeps {' and '.join(record.left_out)} out of its records"
    if (series := series_of(record)) is not None:
        return f"it is a page of the ranking that {series} left; replay that execution"
    if not any(stage.outcome in _ENDED for stage in record.stages):
        return "none of its stages came to an end"
    return None


def series_of(record: Record) -> str | None:
    """The execution whose ranking this one shows a page of; None where it ran itself."""
    if record.is_taped:
        return None
    keys = {stage.cache_key for stage in record.stages if stage.cache_hit}
    return next((key for key in keys if key is not None and key.startswith("exec_")), None)


def as_far_as_it_came(record: Record) -> Record:
    """Without a stage that its budget cut: how far that came was a matter of time."""
    return replace(record, stages=tuple(stage for stage in record.stages if stage.outcome in _ENDED))


def caps_of(record: Record) -> Mapping[int, tuple[Cap, ...]]:
    """By stage, what the budget lowered before it ran."""
    caps = {stage.index: tuple(_caps(stage)) for stage in record.stages}
    return {index: found for index, found in caps.items() if found}


def _caps(stage: RecordedStage) -> Sequence[Cap]:
    found: dict[tuple[str, ...], int] = {}
    for name, change in stage.shrunk.items():
        path = tuple(EVERY if part.isdigit() else part for part in name.split("."))
        if path != ("calls",) and isinstance(change, list) and isinstance(change[-1], int):
            found[path] = change[-1]
    return [Cap(path, value) for path, value in found.items()]


def frozen_divergence(then: Record, now: Record, tapes: Mapping[int, PlaybackTape]) -> Divergence | None:
    """Where a frozen replay parted from what it repeats: by its outcome, or by asking something else."""
    found = divergence(then, now)
    for stage in then.stages:
        if found is not None and found.stage_index < stage.index:
            break
        says = _asked_otherwise(tapes.get(stage.index))
        if says:
            returned = found.returned if found is not None and found.stage_index == stage.index else RankingDiff()
            found = Divergence(stage.index, stage.stage_name, Cause.CODE, says, returned)
            break
    if found is None or found.cause is Cause.DEFINITION:
        return found
    says = found.says if found.cause is Cause.CODE else ()
    told = says or ("all that it asks was answered as it was then: its own code does something else",)
    return replace(found, cause=Cause.CODE, says=told)


def _asked_otherwise(tape: PlaybackTape | None) -> tuple[str, ...]:
    if tape is None:
        return ()
    more = [f"it asked {one} something that it had not asked" for one in dict.fromkeys(tape.unrecorded)]
    less = [f"it no longer asked {one} what it had asked" for one in dict.fromkeys(tape.unasked)]
    return (*more, *less)


def divergence(then: Record, now: Record, without: Sequence[Cause] = ()) -> Divergence | None:
    """The first stage whose outcome is another: ids in order, every score, added fields, facts, how it ended.

    without: causes that are known not to be.
    """
    ran = {stage.index: stage for stage in now.stages}
    diffs = {diff.place_a: diff for diff in compare(then, now).stages}
    for stage in then.stages:
        other, diff = ran.get(stage.index), diffs.get(stage.index)
        same = other is not None and diff is not None and diff.is_identical and _facts(stage) == _facts(other)
        if same and _failed_alike(then, now, stage):
            continue
        grounds = grounds_of(then, now, (stage.index, stage.index), (stage, other))
        left = [ground for ground in grounds if ground.cause not in without]
        cause = left[0].cause if left else Cause.NONDETERMINISM
        returned = diff.returned if diff is not None else RankingDiff()
        return Divergence(stage.index, stage.stage_name, cause, tuple(one.says for one in left), returned)
    return None


def _failed_alike(then: Record, now: Record, stage: RecordedStage) -> bool:
    if stage.outcome is not StageOutcome.FAILED:
        return True
    return (then.error.code if then.error else None) == (now.error.code if now.error else None)


def _facts(stage: RecordedStage) -> str:
    """What it says of itself, but for pages and rewriting; as text, in which NaN equals NaN."""
    facts: dict[str, Any] = {name: value for name, value in stage.metadata.items() if name not in _ABOUT_THE_REQUEST}
    return json.dumps([stage.processed, facts, list(stage.warnings)], sort_keys=True, default=str)


def is_running(record: Record) -> bool:
    return record.header.status is ExecutionStatus.PROCESSING


@dataclass(frozen=True, slots=True)
class StatesRead:
    """What a record refers to instead of holding it: (id, revision) of documents, (id, version) of collections."""

    documents: frozenset[tuple[str, int]]
    collections: frozenset[tuple[str, int]]


def states_read(record: Record) -> StatesRead:
    documents: set[tuple[str, int]] = set()
    collections: set[tuple[str, int]] = set()
    for call in (call for stage in record.stages for call in stage.calls if call.raised is None):
        if call.port != SEARCHER:
            continue
        if call.method == "collections":
            collections.update((key, version) for key, version in call.answer)
        elif call.method in ("hydrate", "list_documents"):
            found = call.answer if call.method == "hydrate" else call.answer["documents"]
            documents.update(zip(found["ids"], found["revisions"], strict=True))
    return StatesRead(frozenset(documents), frozenset(collections))
