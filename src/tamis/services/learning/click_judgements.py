"""Judgements out of interactions: what visitors did with what a retriever showed them, as a data set's grades."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.interactions import InteractionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError
from tamis.evaluation.clicks import ClickModel, Showing, fit, times_shown
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.model.canonical import sha1_of
from tamis.model.dataset import Dataset, GroundTruth
from tamis.model.execution import StoredExecution
from tamis.model.ids import new_id
from tamis.model.interaction import DISLIKING, LIKING, Interaction, InteractionType
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.learning.datasets import names_of
from tamis.services.naming import check_name
from tamis.services.records.execution_records import shown_from, shown_hits
from tamis.services.records.large_values import LargeValues
from tamis.services.runs.retrievers import find_retriever

_MOST_EXECUTIONS = 20_000


@dataclass(frozen=True, slots=True)
class ClickRequest:
    """name: of the data set; where there is one, it grows.  liking: kinds of interaction that count as a click.

    min_interactions: of them that a query needs; where it has fewer, nothing is made of it.
    """

    name: str | None = None
    min_interactions: int = 5
    lookback_days: int = 30
    liking: frozenset[InteractionType] = LIKING


@dataclass(slots=True)
class _Gathered:
    """inputs, clicks: by a query's key, the hash of its inputs."""

    showings: list[Showing] = field(default_factory=list)
    inputs: dict[str, dict[str, JSON]] = field(default_factory=dict)
    clicks: dict[str, int] = field(default_factory=dict)


class ClickJudgements:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def generate(self, principal: Principal, retriever: str, request: ClickRequest) -> Dataset:
        """A data set whose grades a click model worked out of the retriever's executions and what became of them.

        What somebody judged stays. Cost: reads the records of executions that have interactions, at most the 20,000
        newest.  Raises: NotFoundError (retriever), ValidationError (name), ConflictError where there is too little.
        """
        owner = await self._metadata.read(lambda session: find_retriever(session, principal, retriever))
        name = request.name or f"clicks-{owner.name}-{self._clock.now():%Y-%m-%d}"
        check_name(name, ("body", "dataset_name"))
        start = self._clock.now() - timedelta(days=request.lookback_days)
        query = InteractionQuery(retriever_id=owner.retriever_id, start=start)
        found = await self._metadata.read(lambda session: _gather(session, principal, query, name, request.liking))
        enough = {key for key, count in found.clicks.items() if count >= request.min_interactions}
        if not enough:
            raise ConflictError(_too_little(owner.name, request, found), queries=len(found.inputs))
        model = await asyncio.to_thread(fit, found.showings)
        return await self._metadata.write(
            lambda session: self._store(session, principal, name, found, model, sorted(enough))
        )

    def _store(
        self, session: Session, principal: Principal, name: str, found: _Gathered, model: ClickModel,
        keys: Sequence[str],
    ) -> Dataset:  # fmt: skip
        now, held = self._clock.now(), session.datasets.get(principal, name)
        dataset = held or Dataset(new_id("dset"), name, now, now)
        shown = times_shown(found.showings)
        for key in keys:
            query = dataset.asking(found.inputs[key]) or GroundTruth(f"query_{key[:16]}", found.inputs[key])
            dataset = dataset.with_query(query.supposed(model.grades(key, 2, shown[key])))
        told: dict[str, JSON] = {"examination": [*model.examination], "executions": len(found.showings)}
        after = replace(dataset, metadata={**dataset.metadata, "click_model": told}, updated_at=now)
        return session.datasets.insert(principal, after) if held is None else session.datasets.replace(principal, after)


def _too_little(name: str, request: ClickRequest, found: _Gathered) -> str:
    """Of what there is too little, and what there is."""
    within = f"in {request.lookback_days} days"
    if not found.inputs:
        return f"no interaction {within} names an execution of {name!r} that has a record"
    most = max(found.clicks.values())
    return (
        f"no query of {name!r} has {request.min_interactions} likings {within} (min_interactions) of what its records"
        f" showed: of {len(found.inputs)} queries none has more than {most}"
    )


def _gather(
    session: Session, principal: Principal, query: InteractionQuery, name: str, liking: frozenset[InteractionType]
) -> _Gathered:
    by_execution: dict[str, list[Interaction]] = {}
    for one in session.interactions.scan(principal, query):
        if one.execution_id and (one.execution_id in by_execution or len(by_execution) < _MOST_EXECUTIONS):
            by_execution.setdefault(one.execution_id, []).append(one)
    held, found = session.datasets.get(principal, name), _Gathered()
    document_field = held.document_field if held else None
    for execution_id, some in by_execution.items():
        stored = session.executions.get(principal, execution_id)
        # Whoever tells of an interaction may name any execution: only this retriever's count.
        if stored is not None and stored.header.retriever_id == query.retriever_id:
            _add(session, principal, found, stored, document_field, _liked(some, liking))
    return found


def _add(
    session: Session, principal: Principal, found: _Gathered, stored: StoredExecution,
    document_field: str | None, liked: frozenset[str],
) -> None:  # fmt: skip
    record = decode(stored)
    inputs = _inputs_of(session, principal, record)
    documents = [hit.id for hit in shown_hits(record) if hit.is_document]
    if inputs is None or not documents:
        return
    names = names_of(session, principal, documents, document_field)
    clicked = frozenset(names[one] for one in documents if one in liked)
    key = sha1_of(inputs)
    found.inputs[key] = inputs
    found.clicks[key] = found.clicks.get(key, 0) + len(clicked)
    shown = tuple(dict.fromkeys(names[one] for one in documents))
    found.showings.append(Showing(key, shown, clicked, shown_from(record)))


def _liked(some: Sequence[Interaction], liking: frozenset[InteractionType]) -> frozenset[str]:
    """Documents that were liked and not, in the same search, turned away from."""
    kinds: dict[str, set[InteractionType]] = {}
    for one in some:
        kinds.setdefault(one.feature_id, set()).update(one.types)
    return frozenset(document for document, seen in kinds.items() if seen & liking and not (seen - liking) & DISLIKING)


def _inputs_of(session: Session, principal: Principal, record: Record) -> dict[str, JSON] | None:
    if "inputs" in record.left_out or "documents" in record.left_out:
        return None
    restored: Mapping[str, JSON] = LargeValues(session, principal).restored(dict(record.inputs))
    return dict(restored)
