"""Runs of clusters, with the clusters and members that they found."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.ports.clusters import MemberQuery
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.cluster import ClusterRun, FoundCluster, Member, RunStatus
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.cluster_tables import cluster_members, cluster_runs, found_clusters
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of, scope

_RUN, _FOUND, _MEMBER = Codec(ClusterRun), Codec(FoundCluster), Codec(Member)
_r, _f, _m = cluster_runs.c, found_clusters.c, cluster_members.c


def _in_run(columns: Any) -> Any:
    return and_(
        columns.organization_id == bindparam("organization_id"),
        columns.namespace_id == bindparam("namespace_id"),
        columns.run_id == bindparam("of_run"),
    )


_mine = and_(_r.organization_id == bindparam("organization_id"), _r.namespace_id == bindparam("namespace_id"))
_INSERT = insert(cluster_runs).on_conflict_do_nothing()
_GET = select(_r.body).where(_in_run(_r))
_NEWEST = (_r.created_at.desc(), _r.run_id.desc())
_OF_CLUSTER = select(_r.body).where(_mine, _r.cluster_id == bindparam("cluster_id")).order_by(*_NEWEST)
_OF_TRIGGER = select(_r.body).where(_mine, _r.trigger_id == bindparam("trigger_id")).order_by(*_NEWEST)
_REPLACE = update(cluster_runs).where(_in_run(_r)).values(status=bindparam("new_status"), body=bindparam("new_body"))
_DELETE = delete(cluster_runs).where(_in_run(_r))
_UNDER_WAY = (RunStatus.PENDING.value, RunStatus.PROCESSING.value)
_UNFINISHED = (
    select(_r.organization_id, _r.namespace_id, _r.body)
    .where(one_of(_r.status, "statuses"))
    .order_by(_r.created_at, _r.run_id)
)
_put_found = insert(found_clusters)
_PUT_FOUND = _put_found.on_conflict_do_update(
    index_elements=["organization_id", "namespace_id", "run_id", "number"], set_={"body": _put_found.excluded.body}
)
_FOUND_ALL = select(_f.body).where(_in_run(_f)).order_by(_f.number)
_DELETE_FOUND = delete(found_clusters).where(_in_run(_f))
_put_member = insert(cluster_members)
_PUT_MEMBER = _put_member.on_conflict_do_update(
    index_elements=["organization_id", "namespace_id", "run_id", "document_id"],
    set_={name: _put_member.excluded[name] for name in ("number", "place", "body")},
)
_ORDER = (_m.number, _m.place, _m.document_id)
_of_cluster = and_(_in_run(_m), _m.number == bindparam("number"))
_LIMIT, _OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=Integer)
_MEMBERS = select(_m.body).where(_in_run(_m)).order_by(*_ORDER).limit(_LIMIT).offset(_OFFSET)
_MEMBERS_OF_CLUSTER = select(_m.body).where(_of_cluster).order_by(*_ORDER).limit(_LIMIT).offset(_OFFSET)
_COUNT = select(func.count()).select_from(cluster_members).where(_in_run(_m))
_COUNT_OF_CLUSTER = select(func.count()).select_from(cluster_members).where(_of_cluster)
_THESE = select(_m.document_id, _m.body).where(_in_run(_m), one_of(_m.document_id, "document_ids"))
_NUMBERS = select(_m.document_id, _m.number).where(_in_run(_m), _m.number >= 0)
_DELETE_MEMBERS = delete(cluster_members).where(_in_run(_m))


class SqlClusterRuns:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, run: ClusterRun) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "run_id": run.run_id,
            "cluster_id": run.cluster_id,
            "trigger_id": run.trigger_id,
            "status": run.status.value,
            "created_at": to_micros(run.created_at),
            "body": _RUN.encode(run),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the run {run.run_id!r} exists already")

    def get(self, principal: Principal, run_id: str) -> ClusterRun | None:
        body = self._link.value(_GET, _of(principal, run_id))
        return None if body is None else _RUN.decode(body)

    def list(self, principal: Principal, cluster_id: str) -> Sequence[ClusterRun]:
        rows = self._link.rows(_OF_CLUSTER, {**scope(principal), "cluster_id": cluster_id})
        return [_RUN.decode(body) for (body,) in rows]

    def of_trigger(self, principal: Principal, trigger_id: str) -> Sequence[ClusterRun]:
        rows = self._link.rows(_OF_TRIGGER, {**scope(principal), "trigger_id": trigger_id})
        return [_RUN.decode(body) for (body,) in rows]

    def replace(self, principal: Principal, run: ClusterRun) -> None:
        """Raises: NotFoundError."""
        state = {"new_status": run.status.value, "new_body": _RUN.encode(run)}
        if self._link.run(_REPLACE, {**_of(principal, run.run_id), **state}) == 0:
            raise NotFoundError.of("run", run.run_id)

    def delete(self, principal: Principal, run_id: str) -> bool:
        """With all that it found."""
        self.clear(principal, run_id)
        return self._link.run(_DELETE, _of(principal, run_id)) > 0

    def unfinished(self) -> Sequence[tuple[Principal, ClusterRun]]:
        rows = self._link.rows(_UNFINISHED, {"statuses": self._link.array(_UNDER_WAY)})
        return [(Principal(organization, namespace), _RUN.decode(body)) for organization, namespace, body in rows]

    def put_found(self, principal: Principal, run_id: str, found: Sequence[FoundCluster]) -> None:
        own = {**scope(principal), "run_id": run_id}
        self._link.run_many(_PUT_FOUND, [{**own, "number": one.number, "body": _FOUND.encode(one)} for one in found])

    def found(self, principal: Principal, run_id: str) -> Sequence[FoundCluster]:
        return [_FOUND.decode(body) for (body,) in self._link.rows(_FOUND_ALL, _of(principal, run_id))]

    def put_members(self, principal: Principal, run_id: str, members: Sequence[Member]) -> None:
        own = {**scope(principal), "run_id": run_id}
        rows = [
            {
                **own, "document_id": one.document_id, "number": one.number, "place": one.place,
                "body": _MEMBER.encode(one),
            }
            for one in members
        ]  # fmt: skip
        self._link.run_many(_PUT_MEMBER, rows)

    def clear(self, principal: Principal, run_id: str) -> None:
        self._link.run(_DELETE_MEMBERS, _of(principal, run_id))
        self._link.run(_DELETE_FOUND, _of(principal, run_id))

    def members(self, principal: Principal, query: MemberQuery) -> Page[Member]:
        bounds = _of(principal, query.run_id)
        window, count = (_MEMBERS, _COUNT) if query.number is None else (_MEMBERS_OF_CLUSTER, _COUNT_OF_CLUSTER)
        if query.number is not None:
            bounds["number"] = query.number
        rows = self._link.rows(window, {**bounds, "limit": query.limit, "offset": query.offset})
        total = int(self._link.value(count, bounds))
        return Page([_MEMBER.decode(body) for (body,) in rows], total, query.limit, query.offset)

    def members_of(self, principal: Principal, run_id: str, document_ids: Sequence[str]) -> Mapping[str, Member]:
        rows = self._link.rows(_THESE, {**_of(principal, run_id), "document_ids": self._link.array(document_ids)})
        return {document_id: _MEMBER.decode(body) for document_id, body in rows}

    def numbers(self, principal: Principal, run_id: str) -> Mapping[str, int]:
        return dict(self._link.rows(_NUMBERS, _of(principal, run_id)))


def _of(principal: Principal, run_id: str) -> dict[str, Any]:
    return {**scope(principal), "of_run": run_id}
