"""Sessions with agents: opened, read, ended, and what people thought of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, ForbiddenError, NotFoundError, ValidationError
from tamis.model.agent_session import (
    AgentConfig,
    AgentMessage,
    AgentSession,
    Feedback,
    MessageStatus,
    SessionQuotas,
    SessionState,
    SessionStatus,
)
from tamis.model.filters import Condition, Operator, both
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Permission, Principal
from tamis.services.agents.agent_tools import KINDS
from tamis.services.agents.turns import closed
from tamis.services.json_values import check_json
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.runs.retrievers import find_retriever

KEPT = timedelta(days=30)
"""How long after its last message a session stays, with all that was said in it."""
_CONFIG: list[str | int] = ["body", "agent_config"]


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """config: retrievers by id or name."""

    config: AgentConfig
    quotas: SessionQuotas = field(default_factory=SessionQuotas)
    user_id: str | None = None
    user_memory: Mapping[str, JSON] = field(default_factory=dict)
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    remembers: bool = True


class AgentSessionService:
    def __init__(self, metadata: Metadata, language: LanguageModels, clock: Clock) -> None:
        self._metadata = metadata
        self._language = language
        self._clock = clock

    async def create(self, principal: Principal, draft: SessionDraft) -> AgentSession:
        """Raises: ValidationError naming the place, LanguageModelMissingError, NotSetUpError."""
        check_json(dict(draft.user_memory), ["body", "user_memory"])
        check_json(dict(draft.metadata), ["body", "metadata"])
        _check_tools(draft.config)
        self._language.resolve(draft.config.provider, draft.config.model)
        now = self._clock.now()

        def insert(session: Session) -> AgentSession:
            made = AgentSession(
                new_id("ses"), _with_ids(session, principal, draft.config), now, now, now, now + KEPT,
                principal.key_id, draft.user_id, user_memory=draft.user_memory, metadata=draft.metadata,
                quotas=draft.quotas, remembers=draft.remembers,
            )  # fmt: skip
            session.agent_sessions.insert(principal, made)
            return made

        return await self._metadata.write(insert)

    async def get(self, principal: Principal, session_id: str) -> AgentSession:
        """Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_session(session, principal, session_id))

    async def list(
        self, principal: Principal, query: ListQuery, status: SessionStatus | None = None
    ) -> Page[AgentSession]:
        """Newest first where the query names no order. Cost: with a status, a filter, a search or a sort, all."""
        own = None if status is None else Condition("status", Operator.EQ, status.value)
        wanted, now = replace(query, filter=both(query.filter, own)), self._clock.now()

        def read(session: Session) -> Page[AgentSession]:
            if wanted.is_plain and principal.sees_namespace(principal.namespace_id):
                return session.agent_sessions.page(principal, wanted.window.limit, wanted.offset)
            return select(session.agent_sessions.list(principal), lambda one: _view(one, now), wanted)

        return await self._metadata.read(read)

    async def patch(self, principal: Principal, session_id: str, user_memory: Mapping[str, JSON]) -> AgentSession:
        """Put this in place of what is known of the person. Raises: NotFoundError, ValidationError, ConflictError."""
        check_json(dict(user_memory), ["body", "user_memory"])

        def patch(session: Session) -> AgentSession:
            before = find_session(session, principal, session_id)
            if before.state is SessionState.TERMINATED:
                raise ConflictError(f"the session {session_id!r} is terminated", session_id=session_id)
            after = replace(before, user_memory=user_memory, updated_at=self._clock.now())
            session.agent_sessions.replace(principal, after)
            return after

        return await self._metadata.write(patch)

    async def terminate(self, principal: Principal, session_id: str, forget: bool = False) -> AgentSession:
        """No message is answered any more, one that is being answered ends. What was said stays until it expires.

        forget: all of it goes now; needs the permission to delete.  Raises: NotFoundError, ForbiddenError.
        """
        if forget and not principal.may(Permission.DELETE):
            raise ForbiddenError("to forget a session needs the permission 'delete'; without `forget` it only ends")

        def end(session: Session) -> AgentSession:
            found, now = find_session(session, principal, session_id), self._clock.now()
            if found.state is not SessionState.TERMINATED:
                found = closed(session, principal, found, MessageStatus.CANCELLED, "the session was terminated", now)
                found = replace(found, state=SessionState.TERMINATED, terminated_at=now, updated_at=now)
                session.agent_sessions.replace(principal, found)
            if forget:
                session.agent_sessions.delete(principal, session_id)
            return found

        return await self._metadata.write(end)

    async def history(self, principal: Principal, session_id: str, limit: int, offset: int) -> Page[AgentMessage]:
        """In the order in which it was said. Raises: NotFoundError."""

        def read(session: Session) -> Page[AgentMessage]:
            find_session(session, principal, session_id)
            return session.agent_sessions.said(principal, session_id, limit, offset)

        return await self._metadata.read(read)

    async def rate(
        self, principal: Principal, session_id: str, message_id: str, is_positive: bool, text: str | None
    ) -> AgentMessage:
        """What somebody thinks of an answer; the later word stands. One that is rated negative is not remembered.

        Raises: NotFoundError (session, message), ValidationError for a message that is no answer.
        """

        def rate(session: Session) -> AgentMessage:
            find_session(session, principal, session_id)
            found = session.agent_sessions.message(principal, session_id, message_id)
            if found is None:
                raise NotFoundError.of("message", message_id)
            if found.role != "assistant":
                raise ValidationError.at(["body", "message_id"], "the id of an answer; this message is none")
            rated = replace(found, feedback=Feedback(is_positive, text, self._clock.now()))
            session.agent_sessions.say(principal, session_id, rated)
            return rated

        return await self._metadata.write(rate)


def find_session(session: Session, principal: Principal, session_id: str) -> AgentSession:
    """Raises: NotFoundError."""
    found = session.agent_sessions.get(principal, session_id)
    if found is None:
        raise NotFoundError.of("agent session", session_id)
    return found


def _check_tools(config: AgentConfig) -> None:
    for place, name in enumerate(config.tools):
        if name not in KINDS:
            known = ", ".join(KINDS)
            raise ValidationError.at(
                [*_CONFIG, "available_tools", place], f"there is no tool {name!r}; there is {known}"
            )


def _with_ids(session: Session, principal: Principal, config: AgentConfig) -> AgentConfig:
    """Raises: ValidationError at a retriever that is not there for this key."""
    ids = []
    for place, name in enumerate(config.retrievers):
        try:
            ids.append(find_retriever(session, principal, name).retriever_id)
        except NotFoundError as error:
            raise ValidationError.at([*_CONFIG, "retrievers", place], error.message) from error
    return replace(config, retrievers=tuple(dict.fromkeys(ids)))


def _view(one: AgentSession, now: datetime) -> dict[str, JSON]:
    """What list filters, search and sorts see."""
    return {
        "session_id": one.session_id,
        "session_name": one.name,
        "user_id": one.user_id,
        "status": one.status(now).value,
        "model": one.config.model,
        "message_count": one.messages,
        "metadata": dict(one.metadata),
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.updated_at),
        "last_activity_at": timestamp(one.last_activity_at),
        "expires_at": timestamp(one.expires_at),
    }
