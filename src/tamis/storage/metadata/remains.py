"""What deletes have left to be done."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.storage.metadata.link import Link, one_of
from tamis.storage.metadata.schema import INTEGER, remains

_c = remains.c
_NOTE = insert(remains)
_PENDING = (
    select(_c.organization_id, _c.in_namespace, _c.remain_id, _c.kind, _c.name)
    .order_by(_c.remain_id)
    .limit(bindparam("limit", type_=INTEGER))
)
_FORGET = delete(remains).where(
    _c.organization_id == bindparam("organization_id"),
    _c.in_namespace == bindparam("in_namespace"),
    one_of(_c.remain_id, "remain_ids"),
)


def _of(principal: Principal) -> dict[str, str]:
    return {"organization_id": principal.organization_id, "in_namespace": principal.namespace_id}


class SqlRemains:
    def __init__(self, link: Link) -> None:
        self._link = link

    def note(self, principal: Principal, remains: Sequence[Remain]) -> None:
        rows = [
            {**_of(principal), "remain_id": each.remain_id, "kind": each.kind.value, "name": each.name}
            for each in remains
        ]
        self._link.run_many(_NOTE, rows)

    def pending(self, limit: int) -> list[tuple[Principal, Remain]]:
        return [
            (Principal(organization_id, namespace_id), Remain(RemainKind(kind), name, remain_id))
            for organization_id, namespace_id, remain_id, kind, name in self._link.rows(_PENDING, {"limit": limit})
        ]

    def forget(self, principal: Principal, remain_ids: Sequence[str]) -> None:
        self._link.run(_FORGET, {**_of(principal), "remain_ids": self._link.array(remain_ids)})
