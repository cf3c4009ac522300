"""How models did that stages asked, from the calls that records keep."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.tape import RecordedCall
from tamis.errors import StorageError
from tamis.executions.codec import decode
from tamis.executions.record import RecordedStage, StageOutcome
from tamis.model.durations import step_of
from tamis.model.execution import ExecutionHeader
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.records.spans import last
from tamis.services.records.timing import Stopwatch, Timing

MOST_LOOKED_AT = 500
"""Records that one answer is read from, the newest: each whole, with its calls and their vectors."""
_FAILED = frozenset({StageOutcome.FAILED, StageOutcome.SKIPPED})
_OF_MODELS = frozenset({"embedder", "cross_encoder", "late_interaction", "visual", "transcriber", "acoustic", "ocr"})


@dataclass(frozen=True, slots=True)
class ModelSum:
    """Of one model in one version. executions: that asked it.  failed: of the runs of stages.

    timing: of the runs of stages that asked it, whole; single calls are not timed.
    version, provider: None for a model of a language endpoint, which tells neither.
    requests, tokens_in, tokens_out: answered calls of a language model, repairs too; None for every other model.
    """

    name: str
    version: str | None
    provider: str | None
    executions: int
    failed: int
    timing: Timing
    requests: int | None
    tokens_in: int | None
    tokens_out: int | None


@dataclass(slots=True)
class _Usage:
    """Of one model. language: requests, tokens in and out."""

    provider: str | None
    executions: set[str] = field(default_factory=set)
    failed: int = 0
    watch: Stopwatch = field(default_factory=Stopwatch)
    language: list[int] | None = None


@dataclass(slots=True)
class _Asked:
    provider: str | None
    language: list[int] | None = None


class InferenceAnalytics:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def models(self, principal: Principal, name: str | None, hours: int) -> Sequence[ModelSum]:
        """By name. name: of one model; one that was not asked has no figures. Cost: at most MOST_LOOKED_AT records."""
        start = last(self._clock.now(), hours).start

        def read(session: Session) -> Sequence[ModelSum]:
            found: defaultdict[tuple[str, str], _Usage] = defaultdict(lambda: _Usage(None))
            for header in islice(_newest(session, principal, start), MOST_LOOKED_AT):
                for stage in _stages(session, principal, header):
                    _count(found, header.execution_id, stage)
            return [_sum(*key, found[key]) for key in sorted(found) if name in (None, key[0])]

        return await self._metadata.read(read)


def _newest(session: Session, principal: Principal, start: datetime) -> Iterator[ExecutionHeader]:
    """Of everything that this caller may see, saved and not."""
    owners = session.executions.owners(principal)
    each = (session.executions.newest(principal, ExecutionQuery(retriever_id=one, start=start)) for one in owners)
    return heapq.merge(*each, key=lambda one: one.started_at, reverse=True)


def _stages(session: Session, principal: Principal, header: ExecutionHeader) -> Sequence[RecordedStage]:
    stored = session.executions.get(principal, header.execution_id)
    if stored is None:
        return ()
    try:
        return decode(stored).stages
    except StorageError:  # a damaged record says nothing
        return ()


def _count(found: Mapping[tuple[str, str], _Usage], execution_id: str, stage: RecordedStage) -> None:
    duration_us = round(stage.duration_ms * 1000)
    for key, asked in _asked(stage.calls).items():
        usage = found[key]
        usage.provider = asked.provider
        usage.executions.add(execution_id)
        usage.failed += stage.outcome in _FAILED
        usage.watch.count += 1
        usage.watch.duration_us += duration_us
        usage.watch.steps[step_of(duration_us)] += 1
        if asked.language is not None:
            before = usage.language or [0, 0, 0]
            usage.language = [a + b for a, b in zip(before, asked.language, strict=True)]


def _asked(calls: Sequence[RecordedCall]) -> Mapping[tuple[str, str], _Asked]:
    """By name and version; a language model has no version."""
    found: dict[tuple[str, str], _Asked] = {}
    for call in calls:
        info = _info(call)
        if info is not None:
            found.setdefault((str(info["name"]), str(info["version"])), _Asked(str(info["provider"])))
        elif call.port == "language" and call.raised is None:
            _count_language(found, call)
    return found


def _info(call: RecordedCall) -> Mapping[str, JSON] | None:
    """Which model a stage reached for."""
    if call.port != "models" or call.method not in _OF_MODELS or not isinstance(call.answer, Mapping):
        return None
    info: Mapping[str, JSON] = call.answer.get("info", call.answer)
    return info


def _count_language(found: dict[tuple[str, str], _Asked], call: RecordedCall) -> None:
    """A stage that was answered nothing asked the model that its name stood for."""
    if call.method == "resolve":
        found.setdefault((str(call.answer), ""), _Asked(None, [0, 0, 0]))
    elif call.method == "ask":
        answer = call.answer
        asked = found.setdefault((str(answer["model"]), ""), _Asked(None, [0, 0, 0]))
        told = (answer["calls"], answer["tokens_in"], answer["tokens_out"])
        asked.language = [a + b for a, b in zip(asked.language or [0, 0, 0], told, strict=True)]


def _sum(name: str, version: str, usage: _Usage) -> ModelSum:
    requests, tokens_in, tokens_out = usage.language or (None, None, None)
    return ModelSum(
        name, version or None, usage.provider, len(usage.executions), usage.failed, usage.watch.timing(), requests,
        tokens_in, tokens_out,
    )  # fmt: skip
