"""Which executions refer to which large inputs; the last one to go takes the input with it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import execution_blobs, input_blobs

_c = execution_blobs.c
_b = input_blobs.c
_mine = (_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_PUT = insert(input_blobs).on_conflict_do_nothing()
_REFER = insert(execution_blobs).on_conflict_do_nothing()
_ANY = select(_c.sha1).where(*_mine).limit(1)
_FORGET = delete(execution_blobs).where(*_mine, _c.execution_id == bindparam("execution_id")).returning(_c.sha1)
_DROP = delete(input_blobs).where(
    _b.organization_id == bindparam("organization_id"),
    _b.namespace_id == bindparam("namespace_id"),
    _b.sha1 == bindparam("sha1"),
    ~exists().where(*_mine, _c.sha1 == bindparam("sha1")),
)


class ExecutionBlobs:
    def __init__(self, link: Link) -> None:
        self._link = link

    def put(self, principal: Principal, execution_id: str, blobs: Mapping[str, bytes]) -> None:
        """Store each once for the namespace, and that this execution refers to it."""
        for sha1 in sorted(blobs):
            named = {**scope(principal), "sha1": sha1}
            self._link.run(_PUT, {**named, "data": blobs[sha1]})
            self._link.run(_REFER, {**named, "execution_id": execution_id})

    def release(self, principal: Principal, execution_ids: Sequence[str]) -> None:
        """These executions are gone; so is what only they referred to."""
        if self._link.row(_ANY, scope(principal)) is None:
            return
        referred: set[str] = set()
        for execution_id in execution_ids:
            rows = self._link.rows(_FORGET, {**scope(principal), "execution_id": execution_id})
            referred.update(sha1 for (sha1,) in rows)
        for sha1 in sorted(referred):
            self._drop(principal, sha1)

    def _drop(self, principal: Principal, sha1: str) -> None:
        """A reference that another transaction has just made is not seen from here, but by the foreign key."""
        try:
            with self._link.savepoint():
                self._link.run(_DROP, {**scope(principal), "sha1": sha1})
        except self._link.unique_violation:
            return
