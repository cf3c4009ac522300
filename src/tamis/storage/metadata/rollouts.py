"""Roll-outs of retrievers' versions, and what was answered in their shadow."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.rollout import Rollout, ShadowRun
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import execution_inbox, executions, rollouts, shadow_runs

_ROLLOUTS, _RUNS = Codec(Rollout), Codec(ShadowRun)
_r, _s = rollouts.c, shadow_runs.c
_SCOPE = ("organization_id", "namespace_id")
_of_retriever = and_(*(_r[name] == bindparam(name) for name in (*_SCOPE, "retriever_id")))
_of_rollout = and_(*(_s[name] == bindparam(name) for name in (*_SCOPE, "rollout_id")))

_GET = select(_r.body).where(_of_retriever)
_new = insert(rollouts)
_PUT = _new.on_conflict_do_update(index_elements=list(rollouts.primary_key), set_={"body": _new.excluded.body})
_END = delete(rollouts).where(_of_retriever)
_KEEP = insert(shadow_runs).on_conflict_do_nothing()
_LIST = select(_s.body).where(_of_rollout).order_by(_s.at.desc(), _s.execution_id.desc())
_END_RUNS = delete(shadow_runs).where(_of_rollout)
_IS_THERE = tuple(
    select(table.c.execution_id).where(*(table.c[name] == bindparam(name) for name in (*_SCOPE, "execution_id")))
    for table in (executions, execution_inbox)
)
_GONE = delete(shadow_runs).where(*(_s[name] == bindparam(name) for name in _SCOPE), one_of(_s.execution_id, "ids"))


class SqlRollouts:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def get(self, principal: Principal, retriever_id: str) -> Rollout | None:
        body = self._link.value(_GET, {**scope(principal), "retriever_id": retriever_id})
        return None if body is None else _ROLLOUTS.decode(body)

    def put(self, principal: Principal, rollout: Rollout) -> None:
        before = self.get(principal, rollout.retriever_id)
        row = {**scope(principal), "retriever_id": rollout.retriever_id, "body": _ROLLOUTS.encode(rollout)}
        self._link.run(_PUT, row)
        if before is not None and before.rollout_id != rollout.rollout_id:
            self._link.run(_END_RUNS, {**scope(principal), "rollout_id": before.rollout_id})
        self._audit.changed(principal, "rollout", rollout.retriever_id, before, rollout)

    def end(self, principal: Principal, retriever_id: str, action: str = "") -> bool:
        before = self.get(principal, retriever_id)
        if before is None:
            return False
        self._link.run(_END, {**scope(principal), "retriever_id": retriever_id})
        self._link.run(_END_RUNS, {**scope(principal), "rollout_id": before.rollout_id})
        self._audit.changed(principal, "rollout", retriever_id, before, None, action)
        return True

    def keep(self, principal: Principal, run: ShadowRun) -> bool:
        rollout = self.get(principal, run.retriever_id)
        named = {**scope(principal), "execution_id": run.execution_id}
        if rollout is None or rollout.rollout_id != run.rollout_id:
            return False
        if all(self._link.row(statement, named) is None for statement in _IS_THERE):
            return False
        row = {**named, "rollout_id": run.rollout_id, "at": to_micros(run.at), "body": _RUNS.encode(run)}
        return self._link.run(_KEEP, row) > 0

    def runs(self, principal: Principal, rollout_id: str) -> Sequence[ShadowRun]:
        rows = self._link.rows(_LIST, {**scope(principal), "rollout_id": rollout_id})
        return [_RUNS.decode(body) for (body,) in rows]


def forget_shadows(link: Link, principal: Principal, execution_ids: Sequence[str]) -> None:
    """Of executions that are deleted."""
    link.run(_GONE, {**scope(principal), "ids": link.array(execution_ids)})
