"""What was done with what searches showed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from tamis.engine.ports.interactions import InteractionQuery
from tamis.model.interaction import Interaction
from tamis.model.json import JSON
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.fusion_credits import SqlFusionCredits
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.listing import is_plain, window
from tamis.storage.metadata.schema import interactions

_CODEC = Codec(Interaction)
_CHUNK = 1000
_LATEST = 2**62
_c = interactions.c
_mine = (_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_ORDER = (_c.at.desc(), _c.interaction_id.desc())

_INSERT = insert(interactions)
_GET = select(_c.body).where(*_mine, _c.interaction_id == bindparam("identifier"))
_DELETE = delete(interactions).where(*_mine, one_of(_c.interaction_id, "ids"))
_OF_USER = (
    select(_c.interaction_id)
    .where(*_mine, _c.user_id == bindparam("user_id"))
    .order_by(_c.at, _c.interaction_id)
    .limit(bindparam("limit"))
)
_OF_EXECUTION = select(_c.body).where(*_mine, _c.execution_id == bindparam("execution_id")).order_by(*_ORDER)
_NEWEST = select(_c.body).where(*_mine).order_by(*_ORDER).limit(bindparam("limit"))
_DUE = (
    select(_c.interaction_id)
    .where(*_mine, _c.at < bindparam("before"))
    .order_by(_c.at, _c.interaction_id)
    .limit(bindparam("limit"))
)
_BOUNDS = ("retriever_id", "execution_id", "feature_id", "session_id", "user_id")


def _bounds(names: tuple[str, ...]) -> list[ColumnElement[bool]]:
    found = [*_mine, *(_c[name] == bindparam(name) for name in names if name != "start")]
    return [*found, _c.at >= bindparam("start")] if "start" in names else found


@cache
def page_statement(names: tuple[str, ...]) -> Select[Any]:
    """names: of the conditions that are given."""
    page = select(_c.body).where(*_bounds(names)).order_by(*_ORDER)
    return page.limit(bindparam("limit")).offset(bindparam("offset"))


@cache
def count_statement(names: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(interactions).where(*_bounds(names))


@cache
def scan_statement(names: tuple[str, ...]) -> Select[Any]:
    """The next of them behind a place, newest first."""
    behind = or_(_c.at < bindparam("behind"), _c.interaction_id < bindparam("behind_id"))
    found = select(_c.at, _c.interaction_id, _c.body).where(*_bounds(names), _c.at <= bindparam("behind"), behind)
    return found.order_by(*_ORDER).limit(_CHUNK)


class SqlInteractions:
    def __init__(self, link: Link, credits: SqlFusionCredits) -> None:
        """credits: what they taught, which goes with them."""
        self._link = link
        self._credits = credits

    def insert(self, principal: Principal, some: Sequence[Interaction]) -> None:
        rows = [
            {
                **scope(principal),
                "interaction_id": one.interaction_id,
                "retriever_id": one.retriever_id,
                "execution_id": one.execution_id,
                "feature_id": one.feature_id,
                "session_id": one.session_id,
                "user_id": one.user_id,
                "at": to_micros(one.at),
                "body": _CODEC.encode(one),
            }
            for one in some
        ]
        self._link.run_many(_INSERT, rows)

    def get(self, principal: Principal, interaction_id: str) -> Interaction | None:
        body = self._link.value(_GET, {**scope(principal), "identifier": interaction_id})
        return None if body is None else _CODEC.decode(body)

    def page(self, principal: Principal, query: InteractionQuery, listing: Listing) -> Page[Interaction]:
        if not is_plain(listing):
            return window(self.scan(principal, query), _view, lambda one: one.interaction_id, listing)
        values = _values(query)
        names, own = tuple(values), {**scope(principal), **values}
        rows = self._link.rows(page_statement(names), {**own, "limit": listing.limit, "offset": listing.offset})
        total = self._link.value(count_statement(names), own)
        return Page([_CODEC.decode(body) for (body,) in rows], total, listing.limit, listing.offset)

    def scan(self, principal: Principal, query: InteractionQuery) -> Iterator[Interaction]:
        """All of them, newest first, without holding them in memory."""
        values = _values(query)
        own = {**scope(principal), **values}
        behind, behind_id = _LATEST, ""
        while rows := self._link.rows(scan_statement(tuple(values)), {**own, "behind": behind, "behind_id": behind_id}):
            yield from (_CODEC.decode(body) for _, _, body in rows)
            behind, behind_id, _ = rows[-1]

    def newest(self, principal: Principal, limit: int) -> Sequence[Interaction]:
        return [_CODEC.decode(body) for (body,) in self._link.rows(_NEWEST, {**scope(principal), "limit": limit})]

    def of_execution(self, principal: Principal, execution_id: str) -> Sequence[Interaction]:
        """Newest first."""
        rows = self._link.rows(_OF_EXECUTION, {**scope(principal), "execution_id": execution_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def delete(self, principal: Principal, interaction_id: str) -> bool:
        return self._delete(principal, [interaction_id]) > 0

    def delete_user(self, principal: Principal, user_id: str, limit: int) -> int:
        """Everything of a user's, at most `limit` at a time; how many there were."""
        rows = self._link.rows(_OF_USER, {**scope(principal), "user_id": user_id, "limit": limit})
        return self._delete(principal, [interaction_id for (interaction_id,) in rows])

    def trim(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete the oldest of those from before then, at most `limit`; how many there were."""
        rows = self._link.rows(_DUE, {**scope(principal), "before": to_micros(before), "limit": limit})
        return self._delete(principal, [interaction_id for (interaction_id,) in rows])

    def _delete(self, principal: Principal, ids: Sequence[str]) -> int:
        self._credits.forget(principal, ids)
        return self._link.run(_DELETE, {**scope(principal), "ids": self._link.array(ids)})


def _values(query: InteractionQuery) -> dict[str, Any]:
    """The conditions that are given, by name, always in the same order."""
    values = {name: getattr(query, name) for name in _BOUNDS if getattr(query, name) is not None}
    return {**values, "start": to_micros(query.start)} if query.start is not None else values


def _view(one: Interaction) -> dict[str, JSON]:
    """What list filters, search and sorts see."""
    return {
        **(one.metadata or {}),
        "interaction_id": one.interaction_id,
        "feature_id": one.feature_id,
        "interaction_type": [str(kind) for kind in one.types],
        "position": one.position,
        "execution_id": one.execution_id,
        "retriever_id": one.retriever_id,
        "session_id": one.session_id,
        "user_id": one.user_id,
        "document_score": one.document_score,
        "result_set_size": one.result_set_size,
        "query_snapshot": dict(one.query_snapshot) if one.query_snapshot is not None else None,
        "timestamp": one.at.isoformat(),
        "created_at": one.at.isoformat(),
    }
