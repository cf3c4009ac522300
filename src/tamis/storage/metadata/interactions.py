"""What was done with what searches showed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.interaction import Interaction
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import interactions

_CODEC = Codec(Interaction)
_c = interactions.c
_mine = (_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_ORDER = (_c.at.desc(), _c.interaction_id.desc())

_INSERT = insert(interactions)
_OF_EXECUTION = select(_c.body).where(*_mine, _c.execution_id == bindparam("execution_id")).order_by(*_ORDER)
_NEWEST = select(_c.body).where(*_mine).order_by(*_ORDER).limit(bindparam("limit"))
_DUE = (
    select(_c.interaction_id)
    .where(*_mine, _c.at < bindparam("before"))
    .order_by(_c.at, _c.interaction_id)
    .limit(bindparam("limit"))
)
_TRIM = delete(interactions).where(*_mine, _c.interaction_id.in_(_DUE))


class SqlInteractions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, some: Sequence[Interaction]) -> None:
        rows = [
            {
                **scope(principal),
                "interaction_id": one.interaction_id,
                "retriever_id": one.retriever_id,
                "execution_id": one.execution_id,
                "feature_id": one.feature_id,
                "at": to_micros(one.at),
                "body": _CODEC.encode(one),
            }
            for one in some
        ]
        self._link.run_many(_INSERT, rows)

    def newest(self, principal: Principal, limit: int) -> Sequence[Interaction]:
        return [_CODEC.decode(body) for (body,) in self._link.rows(_NEWEST, {**scope(principal), "limit": limit})]

    def of_execution(self, principal: Principal, execution_id: str) -> Sequence[Interaction]:
        """Newest first."""
        rows = self._link.rows(_OF_EXECUTION, {**scope(principal), "execution_id": execution_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def trim(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete the oldest of those from before then, at most `limit`; how many there were."""
        return self._link.run(_TRIM, {**scope(principal), "before": to_micros(before), "limit": limit})
