"""What interactions say of how a retriever is set up: where liked documents stood, and which search knew them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import NormalDist, fmean, stdev

from tamis.engine.learning.bandits import weigh
from tamis.engine.learning.crediting import credit
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.interactions import InteractionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.model.interaction import LIKING
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever, StageSpec
from tamis.services.records.fusion_crediting import shown_of
from tamis.services.runs.retrievers import find_retriever

_MOST_EXECUTIONS = 5000
_FEWEST = 20
"""Liked documents without which nothing is advised."""
_TOP_OF_THEM = 0.95


@dataclass(frozen=True, slots=True)
class Recommendation:
    """confidence: 0 to 1, how sure it is that the change goes the right way."""

    kind: str
    current: JSON
    recommended: JSON
    impact: str
    confidence: float
    reasoning: str


@dataclass(frozen=True, slots=True)
class Advice:
    """performance: how it does now, by name."""

    retriever_id: str
    start: datetime
    end: datetime
    performance: Mapping[str, JSON]
    recommendations: Sequence[Recommendation]


@dataclass(slots=True)
class _Seen:
    """places: of liked documents, from 0.  advantages: of each search, by liked document, in -1/2..1/2."""

    executions: int = 0
    interactions: int = 0
    places: list[int] = field(default_factory=list)
    likes: dict[int, int] = field(default_factory=dict)
    advantages: dict[str, list[float]] = field(default_factory=dict)


class TuningAdvice:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def analyze(self, principal: Principal, retriever: str, days: int) -> Advice:
        """Cost: reads the records of executions that have interactions, the 5,000 newest. Raises: NotFoundError."""
        end = self._clock.now()
        start = end - timedelta(days=days)

        def read(session: Session) -> tuple[Retriever, _Seen]:
            owner = find_retriever(session, principal, retriever)
            return owner, _gathered(session, principal, InteractionQuery(owner.retriever_id, start=start))

        owner, seen = await self._metadata.read(read)
        return Advice(owner.retriever_id, start, end, _performance(seen), [*_advised(owner, seen)])


def _gathered(session: Session, principal: Principal, query: InteractionQuery) -> _Seen:
    seen, liked = _Seen(), dict[str, set[str]]()
    for one in session.interactions.scan(principal, query):
        seen.interactions += 1
        if one.execution_id and (one.execution_id in liked or len(liked) < _MOST_EXECUTIONS):
            of_execution = liked.setdefault(one.execution_id, set())
            if LIKING.intersection(one.types):
                of_execution.add(one.feature_id)
    for execution_id, documents in liked.items():
        stored = session.executions.get(principal, execution_id)
        if stored is not None and stored.header.retriever_id == query.retriever_id:
            _add(seen, decode(stored), sorted(documents))
    return seen


def _add(seen: _Seen, record: Record, liked: Sequence[str]) -> None:
    seen.executions += 1
    shown, searches = shown_of(record), _searches(record)
    for document in liked:
        place = shown.place_of(document)
        if place is None:
            continue
        for search, agreement in credit(shown, document, searches, 1.0, seen.likes).items():
            seen.advantages.setdefault(search, []).append(agreement.agreed / agreement.pairs - 0.5)
        seen.places.append(place)
        seen.likes[place] = seen.likes.get(place, 0) + 1


def _searches(record: Record) -> list[str]:
    """Of the first stage that fused several, by the names that scores have."""
    for stage in record.stages:
        told = stage.metadata.get("searches")
        features = [one.get("feature") for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
        if len(features) > 1:
            return [_numbered(features, n) for n in range(len(features))]
    return []


def _numbered(features: Sequence[JSON], place: int) -> str:
    again = list(features[: place + 1]).count(features[place])
    return f"{features[place]}" if again == 1 else f"{features[place]}#{again}"


def _performance(seen: _Seen) -> dict[str, JSON]:
    places = seen.places
    return {
        "interactions": seen.interactions,
        "executions_with_interactions": seen.executions,
        "liked_documents": len(places),
        "mean_reciprocal_place": fmean(1 / (1 + place) for place in places) if places else None,
        "liked_among_the_first_three": fmean(place < 3 for place in places) if places else None,
    }


def _advised(retriever: Retriever, seen: _Seen) -> Iterator[Recommendation]:
    if len(seen.places) < _FEWEST:
        return
    fused = next((one for one in retriever.definition.stages if len(_written(one)) > 1), None)
    if fused is not None:
        yield from _weights(fused, seen)
    yield from _depth(retriever, seen)


def _written(stage: StageSpec) -> list[Mapping[str, JSON]]:
    searches = stage.parameters.get("searches") if stage.stage_id == "feature_search" else None
    return [one for one in searches if isinstance(one, Mapping)] if isinstance(searches, list) else []


def _weights(stage: StageSpec, seen: _Seen) -> Iterator[Recommendation]:
    """Of the two searches that differ most, how sure it is that one knows better what is liked."""
    searches, names = _written(stage), list(seen.advantages)
    if len(names) != len(searches) or len(seen.places) < _FEWEST:
        return
    own = {name: _number(one.get("weight"), 1.0) for name, one in zip(names, searches, strict=True)}
    if not any(own.values()):
        return
    means = {name: fmean(seen.advantages[name]) for name in names}
    best, worst = max(names, key=lambda one: means[one]), min(names, key=lambda one: means[one])
    apart = [a - b for a, b in zip(seen.advantages[best], seen.advantages[worst], strict=True)]
    error = stdev(apart) / math.sqrt(len(apart))
    sure = 0.0 if fmean(apart) == 0 else 1.0 if error == 0 else 2 * NormalDist().cdf(fmean(apart) / error) - 1
    better = weigh(own, {name: 0.5 + means[name] for name in names}, 0.05, 0.95)
    total = sum(own.values())
    yield Recommendation(
        "fusion_weights",
        {name: round(weight / total, 4) for name, weight in own.items()},
        {name: round(weight, 4) for name, weight in better.items()},
        f"{best} ranks liked documents {fmean(apart):.3f} of a page higher than {worst}, place by place",
        sure,
        f"{len(apart)} liked documents of {seen.executions} executions, with where they stood taken out; try it with "
        "`tamis tune`, or let fusion `learned` do it",
    )


def _depth(retriever: Retriever, seen: _Seen) -> Iterator[Recommendation]:
    """Where nearly all that is liked stands far in front of what is returned."""
    last = retriever.definition.stages[-1]
    name = {"limit": "limit", "feature_search": "final_top_k"}.get(last.stage_id)
    current = last.parameters.get(name) if name else None
    if not isinstance(current, int) or isinstance(current, bool):
        return
    deepest = sorted(seen.places)[min(int(_TOP_OF_THEM * len(seen.places)), len(seen.places) - 1)] + 1
    enough = max(10, 2 * deepest)
    if enough < current:
        yield Recommendation(
            name or "",
            current,
            enough,
            f"{current - enough} documents fewer in every answer",
            min(1.0, len(seen.places) / (len(seen.places) + _FEWEST)),
            f"{_TOP_OF_THEM:.0%} of {len(seen.places)} liked documents stood among the first {deepest}",
        )


def _number(value: JSON, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
