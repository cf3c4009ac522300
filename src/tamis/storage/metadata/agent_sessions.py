"""Sessions with agents, and what was said in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.auditing import event_of
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.agent_session import AgentMessage, AgentSession, SessionState
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.agent_tables import agent_messages, agent_sessions
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope

_SESSION, _MESSAGE = Codec(AgentSession), Codec(AgentMessage)
_s, _m = agent_sessions.c, agent_messages.c
_LIMIT, _OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=Integer)


def _within(columns: Any) -> Any:
    return and_(
        columns.organization_id == bindparam("organization_id"), columns.namespace_id == bindparam("namespace_id")
    )


def _in_session(columns: Any) -> Any:
    return and_(_within(columns), columns.session_id == bindparam("of_session"))


_INSERT = insert(agent_sessions).on_conflict_do_nothing()
_GET = select(_s.body).where(_in_session(_s))
_LIST = select(_s.body).where(_within(_s)).order_by(_s.created_at.desc(), _s.session_id.desc())
_PAGE = _LIST.limit(_LIMIT).offset(_OFFSET)
_COUNT = select(func.count()).select_from(agent_sessions).where(_within(_s))
_REPLACE = (
    update(agent_sessions)
    .where(_in_session(_s))
    .values({name: bindparam(f"new_{name}") for name in ("state", "expires_at", "body")})
)
_DELETE = delete(agent_sessions).where(_in_session(_s))
_everyones = select(_s.organization_id, _s.namespace_id, _s.body)
_ANSWERING = _everyones.where(_s.state == SessionState.ANSWERING.value).order_by(_s.created_at)
_OVER = _everyones.where(_s.expires_at < bindparam("before")).order_by(_s.expires_at).limit(_LIMIT)
_put = insert(agent_messages)
_SAY = _put.on_conflict_do_update(
    index_elements=["organization_id", "namespace_id", "session_id", "place"],
    set_={name: _put.excluded[name] for name in ("message_id", "body")},
)
_SAID = select(_m.body).where(_in_session(_m)).order_by(_m.place).limit(_LIMIT).offset(_OFFSET)
_LAST_SAID = select(_m.body).where(_in_session(_m)).order_by(_m.place.desc()).limit(_LIMIT)
_COUNT_SAID = select(func.count()).select_from(agent_messages).where(_in_session(_m))
_MESSAGE_OF_ID = select(_m.body).where(_in_session(_m), _m.message_id == bindparam("identifier"))
_FORGET = delete(agent_messages).where(_in_session(_m))


class SqlAgentSessions:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, session: AgentSession) -> None:
        values = {
            **scope(principal),
            "session_id": session.session_id,
            "state": session.state.value,
            "created_at": to_micros(session.created_at),
            "expires_at": to_micros(session.expires_at),
            "body": _SESSION.encode(session),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the session {session.session_id!r} exists already")
        self._note(principal, session.session_id, "created")

    def get(self, principal: Principal, session_id: str) -> AgentSession | None:
        body = self._link.value(_GET, _of(principal, session_id))
        found = None if body is None else _SESSION.decode(body)
        return found if found is not None and found.is_seen_by(principal) else None

    def list(self, principal: Principal) -> Sequence[AgentSession]:
        every = (_SESSION.decode(body) for (body,) in self._link.rows(_LIST, scope(principal)))
        return [one for one in every if one.is_seen_by(principal)]

    def page(self, principal: Principal, limit: int, offset: int) -> Page[AgentSession]:
        rows = self._link.rows(_PAGE, {**scope(principal), "limit": limit, "offset": offset})
        total = int(self._link.value(_COUNT, scope(principal)))
        return Page([_SESSION.decode(body) for (body,) in rows], total, limit, offset)

    def replace(self, principal: Principal, session: AgentSession) -> None:
        """What is said in it is no change of the session's own, and no event; that it ends is one."""
        before = self.get(principal, session.session_id)
        if before is None:
            raise NotFoundError.of("agent session", session.session_id)
        state = {
            "new_state": session.state.value,
            "new_expires_at": to_micros(session.expires_at),
            "new_body": _SESSION.encode(session),
        }
        self._link.run(_REPLACE, {**_of(principal, session.session_id), **state})
        if session.state is SessionState.TERMINATED is not before.state:
            self._note(principal, session.session_id, "terminated")

    def delete(self, principal: Principal, session_id: str) -> bool:
        if self.get(principal, session_id) is None:
            return False
        self._link.run(_FORGET, _of(principal, session_id))
        self._link.run(_DELETE, _of(principal, session_id))
        self._note(principal, session_id, "deleted")
        return True

    def answering(self) -> Sequence[tuple[Principal, AgentSession]]:
        return self._everyones(_ANSWERING, {})

    def over(self, before: datetime, limit: int) -> Sequence[tuple[Principal, AgentSession]]:
        return self._everyones(_OVER, {"before": to_micros(before), "limit": limit})

    def say(self, principal: Principal, session_id: str, message: AgentMessage) -> None:
        values = {
            **scope(principal),
            "session_id": session_id,
            "place": message.place,
            "message_id": message.message_id,
            "body": _MESSAGE.encode(message),
        }
        self._link.run(_SAY, values)

    def said(self, principal: Principal, session_id: str, limit: int, offset: int) -> Page[AgentMessage]:
        bounds = _of(principal, session_id)
        rows = self._link.rows(_SAID, {**bounds, "limit": limit, "offset": offset})
        total = int(self._link.value(_COUNT_SAID, bounds))
        return Page([_MESSAGE.decode(body) for (body,) in rows], total, limit, offset)

    def last_said(self, principal: Principal, session_id: str, limit: int) -> Sequence[AgentMessage]:
        rows = self._link.rows(_LAST_SAID, {**_of(principal, session_id), "limit": limit})
        return [_MESSAGE.decode(body) for (body,) in reversed(rows)]

    def message(self, principal: Principal, session_id: str, message_id: str) -> AgentMessage | None:
        body = self._link.value(_MESSAGE_OF_ID, {**_of(principal, session_id), "identifier": message_id})
        return None if body is None else _MESSAGE.decode(body)

    def _note(self, principal: Principal, session_id: str, action: str) -> None:
        """That it happened; what is known of a person is no part of an event, which outlives the session."""
        self._audit.note(principal, [event_of(principal, "agent_session", session_id, action, {})])

    def _everyones(self, statement: Any, bounds: dict[str, Any]) -> Sequence[tuple[Principal, AgentSession]]:
        rows = self._link.rows(statement, bounds)
        return [(Principal(organization, namespace), _SESSION.decode(body)) for organization, namespace, body in rows]


def _of(principal: Principal, session_id: str) -> dict[str, Any]:
    return {**scope(principal), "of_session": session_id}
