"""Answers kept for requests that come again."""

from datetime import datetime

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.ports.answers import KeptAnswer
from tamis.errors import AlreadyExistsError
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import from_micros, to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import INTEGER, answers

_c = answers.c
_MINE = and_(_c.organization_id == bindparam("organization"), _c.key_id == bindparam("key"))
_ONE = and_(_MINE, _c.token == bindparam("named"))
_GET = select(_c.token, _c.fingerprint, _c.created_at, _c.created_id, _c.status, _c.body).where(_ONE)
_new = insert(answers)
_INSERT = _new.on_conflict_do_update(
    index_elements=list(answers.primary_key),
    set_={name: _new.excluded[name] for name in ("fingerprint", "created_at", "created_id", "status", "body")},
    where=_c.created_at < bindparam("over", type_=INTEGER),
)
_COMPLETE = update(answers).where(_ONE).values(status=bindparam("new_status"), body=bindparam("new_body"))
_REMOVE = delete(answers).where(_ONE)
_FIRST_TOO_MANY = (
    select(_c.created_at)
    .where(_MINE)
    .order_by(_c.created_at.desc(), _c.token.desc())
    .limit(1)
    .offset(bindparam("keep", type_=INTEGER))
    .scalar_subquery()
)
_DUE = (
    select(_c.token)
    .where(_MINE, or_(_c.created_at < bindparam("before", type_=INTEGER), _c.created_at <= _FIRST_TOO_MANY))
    .order_by(_c.created_at, _c.token)
    .limit(bindparam("limit", type_=INTEGER))
)
_FORGET = delete(answers).where(_MINE, _c.token.in_(_DUE))


def _of(principal: Principal) -> dict[str, str]:
    return {"organization": principal.organization_id, "key": principal.key_id}


class SqlAnswers:
    def __init__(self, link: Link) -> None:
        self._link = link

    def get(self, principal: Principal, token: str) -> KeptAnswer | None:
        row = self._link.row(_GET, {**_of(principal), "named": token})
        if row is None:
            return None
        body = None if row[5] is None else bytes(row[5])
        return KeptAnswer(row[0], row[1], from_micros(row[2]), row[3], row[4], body)

    def insert(self, principal: Principal, answer: KeptAnswer, over: datetime) -> None:
        values = {
            "organization_id": principal.organization_id,
            "key_id": principal.key_id,
            "token": answer.token,
            "fingerprint": answer.fingerprint,
            "created_at": to_micros(answer.created_at),
            "created_id": answer.created_id,
            "status": answer.status,
            "body": answer.body,
            "over": to_micros(over),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError("this idempotency key has an answer already")

    def complete(self, principal: Principal, token: str, status: int, body: bytes) -> None:
        self._link.run(_COMPLETE, {**_of(principal), "named": token, "new_status": status, "new_body": body})

    def remove(self, principal: Principal, token: str) -> None:
        self._link.run(_REMOVE, {**_of(principal), "named": token})

    def forget(self, principal: Principal, before: datetime, keep: int, limit: int) -> int:
        return self._link.run(_FORGET, {**_of(principal), "before": to_micros(before), "keep": keep, "limit": limit})
