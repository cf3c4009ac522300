"""Evaluations, and what became of each of their queries."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Select

from tamis.engine.ports.evaluations import EvaluationQuery
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.evaluation import Evaluation, EvaluationStatus, QueryRun
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import evaluation_queries, evaluations

_CODEC, _RUN = Codec(Evaluation), Codec(QueryRun)

_e, _q = evaluations.c, evaluation_queries.c
_mine = and_(_e.organization_id == bindparam("organization_id"), _e.namespace_id == bindparam("namespace_id"))
_this = and_(_mine, _e.evaluation_id == bindparam("identifier"))
_runs = and_(
    _q.organization_id == bindparam("organization_id"),
    _q.namespace_id == bindparam("namespace_id"),
    _q.evaluation_id == bindparam("identifier"),
)

_INSERT = insert(evaluations).on_conflict_do_nothing()
_GET = select(_e.body).where(_this)
_REPLACE = update(evaluations).where(_this).values(status=bindparam("new_status"), body=bindparam("new_body"))
_DELETE = delete(evaluations).where(_this)
_UNDER_WAY = (EvaluationStatus.PENDING.value, EvaluationStatus.IN_PROGRESS.value)
_UNFINISHED = (
    select(_e.organization_id, _e.namespace_id, _e.body)
    .where(one_of(_e.status, "statuses"))
    .order_by(_e.created_at, _e.evaluation_id)
)
_insert_run = insert(evaluation_queries)
_PUT_RUN = _insert_run.on_conflict_do_update(
    index_elements=["organization_id", "namespace_id", "evaluation_id", "place"],
    set_={"body": _insert_run.excluded.body},
)
_RUNS = select(_q.body).where(_runs).order_by(_q.place)
_PAGE_OF_RUNS = _RUNS.limit(bindparam("limit")).offset(bindparam("offset"))
_COUNT_RUNS = select(func.count()).select_from(evaluation_queries).where(_runs)
_DELETE_RUNS = delete(evaluation_queries).where(_runs)


@cache
def page_statements(with_status: bool, with_dataset: bool) -> tuple[Select[Any], Select[Any]]:
    """A page of a retriever's evaluations within these bounds, and how many there are."""
    bounds = [_mine, _e.retriever_id == bindparam("retriever_id")]
    if with_status:
        bounds.append(_e.status == bindparam("status"))
    if with_dataset:
        bounds.append(_e.dataset_id == bindparam("dataset_id"))
    page = select(_e.body).where(*bounds).order_by(_e.created_at.desc(), _e.evaluation_id.desc())
    count = select(func.count()).select_from(evaluations).where(*bounds)
    return page.limit(bindparam("limit")).offset(bindparam("offset")), count


class SqlEvaluations:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, evaluation: Evaluation) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "evaluation_id": evaluation.evaluation_id,
            "retriever_id": evaluation.retriever_id,
            "dataset_id": evaluation.dataset_id,
            "status": evaluation.status.value,
            "created_at": to_micros(evaluation.created_at),
            "body": _CODEC.encode(evaluation),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the evaluation {evaluation.evaluation_id!r} exists already")

    def get(self, principal: Principal, evaluation_id: str) -> Evaluation | None:
        body = self._link.value(_GET, _of(principal, evaluation_id))
        return None if body is None else _CODEC.decode(body)

    def page(self, principal: Principal, query: EvaluationQuery) -> Page[Evaluation]:
        """Newest first."""
        page, count = page_statements(query.status is not None, query.dataset is not None)
        bounds: dict[str, Any] = {**scope(principal), "retriever_id": query.retriever_id}
        if query.status is not None:
            bounds["status"] = query.status.value
        if query.dataset is not None:
            bounds["dataset_id"] = query.dataset
        rows = self._link.rows(page, {**bounds, "limit": query.limit, "offset": query.offset})
        total = self._link.value(count, bounds)
        return Page([_CODEC.decode(body) for (body,) in rows], total, query.limit, query.offset)

    def replace(self, principal: Principal, evaluation: Evaluation) -> None:
        """Raises: NotFoundError."""
        state = {"new_status": evaluation.status.value, "new_body": _CODEC.encode(evaluation)}
        if self._link.run(_REPLACE, {**_of(principal, evaluation.evaluation_id), **state}) == 0:
            raise NotFoundError.of("evaluation", evaluation.evaluation_id)

    def delete(self, principal: Principal, evaluation_id: str) -> bool:
        """With its queries."""
        self._link.run(_DELETE_RUNS, _of(principal, evaluation_id))
        return self._link.run(_DELETE, _of(principal, evaluation_id)) > 0

    def unfinished(self) -> Sequence[tuple[Principal, Evaluation]]:
        """Of every tenant, those pending or in progress, oldest first."""
        rows = self._link.rows(_UNFINISHED, {"statuses": self._link.array(_UNDER_WAY)})
        return [(Principal(organization, namespace), _CODEC.decode(body)) for organization, namespace, body in rows]

    def put_runs(self, principal: Principal, evaluation_id: str, runs: Sequence[QueryRun]) -> None:
        """Insert, or replace those of the same place."""
        own = {**scope(principal), "evaluation_id": evaluation_id}
        self._link.run_many(_PUT_RUN, [{**own, "place": run.place, "body": _RUN.encode(run)} for run in runs])

    def runs(
        self, principal: Principal, evaluation_id: str, limit: int | None = None, offset: int = 0
    ) -> Sequence[QueryRun]:
        """By their place."""
        own = _of(principal, evaluation_id)
        if limit is None:
            rows = self._link.rows(_RUNS, own)
        else:
            rows = self._link.rows(_PAGE_OF_RUNS, {**own, "limit": limit, "offset": offset})
        return [_RUN.decode(body) for (body,) in rows]

    def count_runs(self, principal: Principal, evaluation_id: str) -> int:
        return int(self._link.value(_COUNT_RUNS, _of(principal, evaluation_id)))


def _of(principal: Principal, evaluation_id: str) -> dict[str, Any]:
    return {**scope(principal), "identifier": evaluation_id}
