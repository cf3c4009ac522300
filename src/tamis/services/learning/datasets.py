"""Evaluation data sets: made, judged, pooled and let go."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.evaluation.rankings import name_of
from tamis.model.dataset import Dataset, GroundTruth, Pooled
from tamis.model.evaluation import Evaluation, QueryRun
from tamis.model.filters import canonical_path
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.naming import check_name

_NAME_LOC = ("body", "dataset_name")
Judgements = Mapping[str, Mapping[str, int | None]]
"""By query id, then document; None takes a judgement back."""


@dataclass(frozen=True, slots=True)
class DatasetDraft:
    name: str
    queries: tuple[GroundTruth, ...]
    description: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    document_field: str | None = None


class DatasetService:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def create(self, principal: Principal, draft: DatasetDraft) -> Dataset:
        """Raises: ValidationError (the name, a query id that comes twice), AlreadyExistsError."""
        check_name(draft.name, _NAME_LOC)
        _check_ids(draft.queries)
        now = self._clock.now()
        path = canonical_path(draft.document_field) if draft.document_field else None
        made = Dataset(new_id("dset"), draft.name, now, now, draft.queries, draft.description, draft.metadata, path)
        return await self._metadata.write(lambda session: session.datasets.insert(principal, made))

    async def get(self, principal: Principal, identifier: str) -> Dataset:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_dataset(session, principal, identifier))

    async def list(self, principal: Principal, limit: int, offset: int) -> Page[Dataset]:
        """Newest first."""
        every = await self._metadata.read(lambda session: session.datasets.list(principal))
        return Page([*every[offset : offset + limit]], len(every), limit, offset)

    async def restate(
        self, principal: Principal, identifier: str, draft: DatasetDraft, fields: frozenset[str]
    ) -> Dataset:
        """Make these of its fields as the draft has them. What clicks and models judged stays where queries stay.

        Raises: NotFoundError, ValidationError (a query id that comes twice).
        """
        _check_ids(draft.queries)
        path = canonical_path(draft.document_field) if draft.document_field else None
        said = {"description": draft.description, "metadata": draft.metadata, "document_field": path}
        changes: dict[str, Any] = {name: value for name, value in said.items() if name in fields}

        def restate(session: Session) -> Dataset:
            before = find_dataset(session, principal, identifier)
            known = {one.query_id: one for one in before.queries}
            queries = tuple(known.get(one.query_id, one).restated(one) for one in draft.queries)
            changed = {**changes, "queries": queries} if "queries" in fields else changes
            return session.datasets.replace(principal, replace(before, **changed, updated_at=self._clock.now()))

        return await self._metadata.write(restate)

    async def delete(self, principal: Principal, identifier: str) -> None:
        """Evaluations that were made with it stay, and can be compared no more. Raises: NotFoundError."""

        def remove(session: Session) -> None:
            session.datasets.delete(principal, find_dataset(session, principal, identifier).dataset_id)

        await self._metadata.write(remove)

    async def judge(self, principal: Principal, identifier: str, judgements: Judgements) -> Dataset:
        """Raises: NotFoundError; ValidationError where it has no such query."""

        def judged(session: Session, before: Dataset) -> Sequence[GroundTruth]:
            known = {query.query_id for query in before.queries}
            for query_id in judgements:
                if query_id not in known:
                    message = f"no query of data set {before.name!r}"
                    raise ValidationError.at(["body", "judgements", query_id], message)
            return [
                query.judged(judgements[query.query_id]) if query.query_id in judgements else query
                for query in before.queries
            ]

        return await self._change(principal, identifier, judged)

    async def pool(self, principal: Principal, identifier: str, evaluations: Sequence[str], depth: int) -> Dataset:
        """Put what evaluations of it found, to this depth, into its queries' pools: what several retrievers think of.

        Raises: NotFoundError; ConflictError where one is of another data set.
        """

        def pooled(session: Session, before: Dataset) -> Sequence[GroundTruth]:
            found: dict[str, list[Pooled]] = {}
            for evaluation_id in evaluations:
                evaluation = find_evaluation(session, principal, evaluation_id)
                if evaluation.dataset_id != before.dataset_id:
                    raise ConflictError(f"evaluation {evaluation_id!r} is of data set {evaluation.dataset_name!r}")
                for run in session.evaluations.runs(principal, evaluation_id):
                    found.setdefault(run.query_id, []).extend(_pool_of(run, depth))
            return [
                query.pooled(found[query.query_id]) if query.query_id in found else query for query in before.queries
            ]

        return await self._change(principal, identifier, pooled)

    async def _change(
        self, principal: Principal, identifier: str, change: Callable[[Session, Dataset], Sequence[GroundTruth]]
    ) -> Dataset:
        def store(session: Session) -> Dataset:
            before = find_dataset(session, principal, identifier)
            after = replace(before, queries=tuple(change(session, before)))
            if after == before:
                return before
            return session.datasets.replace(principal, replace(after, updated_at=self._clock.now()))

        return await self._metadata.write(store)


def find_dataset(session: Session, principal: Principal, identifier: str) -> Dataset:
    """By id or name. Raises: NotFoundError."""
    found = session.datasets.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("dataset", identifier)
    return found


def names_of(
    session: Session, principal: Principal, document_ids: Sequence[str], document_field: str | None
) -> dict[str, str]:
    """By id, what a data set's judgements call each document; one that is gone keeps its id."""
    if document_field is None:
        return {one: one for one in document_ids}
    found = session.documents.get_many(principal, document_ids)
    views = {one: document.view() for one, document in found.items()}
    return {one: name_of(views.get(one, {}), document_field) or one for one in document_ids}


def find_evaluation(session: Session, principal: Principal, evaluation_id: str) -> Evaluation:
    """Raises: NotFoundError, also where its retriever is not the caller's to see."""
    found = session.evaluations.get(principal, evaluation_id)
    if found is None or not principal.may_retriever(found.retriever_id):
        raise NotFoundError.of("evaluation", evaluation_id)
    return found


def _pool_of(run: QueryRun, depth: int) -> Iterable[Pooled]:
    for rank, name in enumerate(run.ranking[:depth], start=1):
        yield Pooled(name, rank, run.execution_id or "")


def _check_ids(queries: Sequence[GroundTruth]) -> None:
    seen: set[str] = set()
    for place, query in enumerate(queries):
        if query.query_id in seen:
            message = f"{query.query_id!r} is another query's id too; each needs its own"
            raise ValidationError.at(["body", "queries", place, "query_id"], message)
        seen.add(query.query_id)
