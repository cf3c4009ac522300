"""What may have made two executions part: everything that differs between what they were given."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tamis.executions.record import Record, RecordedCall, RecordedStage
from tamis.model.json import JSON


class Cause(StrEnum):
    """In the order in which they are looked for: what is named first explains what comes after it.

    inputs: never that of a replay, which has those of the original.
    """

    DEFINITION = "definition"
    INPUTS = "inputs"
    CODE = "code"
    DATA = "data"
    MODEL = "model"
    OUTSIDE = "outside"
    CACHE = "cache"
    NONDETERMINISM = "nondeterminism"


@dataclass(frozen=True, slots=True)
class Ground:
    """says: one line for a person, with the values of a and of b."""

    cause: Cause
    says: str


Places = tuple[int | None, int | None]
Stages = tuple[RecordedStage | None, RecordedStage | None]
_PORTS: Mapping[str, Cause] = {"searcher": Cause.DATA, "models": Cause.MODEL, "clock": Cause.NONDETERMINISM}


def grounds_of(a: Record, b: Record, places: Places, stages: Stages) -> tuple[Ground, ...]:
    """What may explain that the two records part at this stage; never empty.

    places: of the stage in each pipeline.  stages: how it ran in each.
    What differs only in later stages explains nothing here and is left out. Where nothing else does, it is chance.
    """
    if places[0] is None or places[1] is None:
        side = "second" if places[0] is None else "first"
        return (Ground(Cause.DEFINITION, f"only the {side} pipeline has this stage"),)
    checks: tuple[Callable[[], Iterator[Ground]], ...] = (
        lambda: _definition(a, b, places),
        lambda: _inputs(a, b),
        lambda: _code(a, b),
        lambda: _data(a, b),
        lambda: _model(a, b),
        lambda: _outside(a, b, stages),
        lambda: _cache(stages),
    )
    found = [ground for check in checks for ground in check()]
    order = list(Cause)
    return tuple(sorted(found, key=lambda ground: order.index(ground.cause))) or (_chance(a, b, stages),)


def _definition(a: Record, b: Record, places: Places) -> Iterator[Ground]:
    if a.narrowing != b.narrowing:
        yield Ground(Cause.DEFINITION, "their callers' client tokens have different filters")
    if a.definition_hash == b.definition_hash:
        return
    one, other = _stage_of(a.definition, places[0]), _stage_of(b.definition, places[1])
    if one != other:
        names = ", ".join(sorted(key for key in {*one, *other} if one.get(key) != other.get(key)))
        yield Ground(Cause.DEFINITION, f"the stage is written differently: {names}")
    rest = sorted(
        key for key in {*a.definition, *b.definition} - {"stages"} if a.definition.get(key) != b.definition.get(key)
    )
    if rest:
        yield Ground(Cause.DEFINITION, f"the pipelines differ in {', '.join(rest)}")


def _stage_of(definition: Mapping[str, JSON], place: int | None) -> Mapping[str, JSON]:
    stages = definition.get("stages")
    stage = stages[place] if isinstance(stages, list) and place is not None and place < len(stages) else None
    return stage if isinstance(stage, dict) else {}


def same_inputs(a: Record, b: Record) -> bool | None:
    """None where a namespace's policy kept them out of a record."""
    one, other = a.header.inputs_hash, b.header.inputs_hash
    return None if one is None or other is None else one == other


def _inputs(a: Record, b: Record) -> Iterator[Ground]:
    if same_inputs(a, b) is False:
        names = sorted(name for name in {*a.inputs, *b.inputs} if a.inputs.get(name) != b.inputs.get(name))
        yield Ground(Cause.INPUTS, f"the inputs differ: {', '.join(names)}" if names else "the inputs differ")


def _code(a: Record, b: Record) -> Iterator[Ground]:
    if a.code_version != b.code_version:
        yield Ground(Cause.CODE, f"Tamis {a.code_version}, then {b.code_version}")


def _data(a: Record, b: Record) -> Iterator[Ground]:
    before = {one.collection_id: one.revision for one in a.collections}
    for one in b.collections:
        then = before.get(one.collection_id)
        if then is not None and then != one.revision:
            yield Ground(Cause.DATA, f"collection {one.collection_id}: revision {then}, then {one.revision}")
    rewritten = sum(1 for key in a.revisions.keys() & b.revisions.keys() if a.revisions[key] != b.revisions[key])
    if rewritten:
        yield Ground(Cause.DATA, f"documents seen by both and rewritten in between: {rewritten}")


def _model(a: Record, b: Record) -> Iterator[Ground]:
    """A model that only one installation has explains nothing by itself: pipelines name what they use."""
    for name in sorted(a.models.keys() & b.models.keys()):
        if a.models[name] != b.models[name]:
            yield Ground(Cause.MODEL, f"model {name}: version {a.models[name]}, then {b.models[name]}")
    extractors = {one.collection_id: one.extractor_id for one in a.collections}
    for one in b.collections:
        then = extractors.get(one.collection_id, one.extractor_id)
        if then != one.extractor_id:
            yield Ground(Cause.MODEL, f"collection {one.collection_id}: extractor {then}, then {one.extractor_id}")


def _outside(a: Record, b: Record, stages: Stages) -> Iterator[Ground]:
    """Another answer to the same question, where records keep their calls; or none."""
    for port, method in sorted(set(_answered_differently(*stages))):
        yield Ground(_PORTS.get(port, Cause.OUTSIDE), f"{port}.{method} answered the same question differently")
    for which, record in (("first", a), ("second", b)):
        if record.error is not None and record.error.code == "StageUnavailableError":
            yield Ground(Cause.OUTSIDE, f"the {which} execution met something that did not answer")


def _answered_differently(a: RecordedStage | None, b: RecordedStage | None) -> Iterator[tuple[str, str]]:
    """(port, method) of each such question; what was asked more than once is compared in its order."""
    answers: dict[tuple[str, str, str], list[RecordedCall]] = {}
    for call in a.calls if a else ():
        answers.setdefault((call.port, call.method, call.asked), []).append(call)
    for call in b.calls if b else ():
        before = answers.get((call.port, call.method, call.asked))
        then = before.pop(0) if before else call
        if (then.answer, then.raised) != (call.answer, call.raised):
            yield call.port, call.method


def _cache(stages: Stages) -> Iterator[Ground]:
    a, b = stages
    if a and b and bool(a.cache_hit) != bool(b.cache_hit):
        which = "first" if a.cache_hit else "second"
        yield Ground(Cause.CACHE, f"only the {which} execution's stage was answered from a cache")


def _chance(a: Record, b: Record, stages: Stages) -> Ground:
    one, other = stages
    limits = {stage.limit for stage in (one, other) if stage and stage.limit}
    if "max_time_ms" in limits:
        return Ground(Cause.NONDETERMINISM, "the time ran out in one of them: how fast a stage is, is chance")
    if a.seed != b.seed:
        return Ground(Cause.NONDETERMINISM, f"seed {a.seed}, then {b.seed}")
    return Ground(Cause.NONDETERMINISM, "nothing that the records hold differs before this stage")
