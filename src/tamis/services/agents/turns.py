"""How a session goes from message to message: what each change of its state leaves in it, in one transaction."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tamis.engine.ports.metadata import Session
from tamis.errors import BadRequestError, ConflictError, NotFoundError, SessionSpentError
from tamis.model.agent_session import (
    AgentMessage,
    AgentSession,
    Confirmation,
    MessageStatus,
    SessionState,
    Spent,
    ToolUse,
    Turn,
)
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal

CONFIRM_WITHIN = timedelta(minutes=5)
INTERRUPTED = "the server stopped while it was being answered"
_NAME_CHARACTERS = 60


def opened(
    session: Session, principal: Principal, before: AgentSession, content: str, metadata: Mapping[str, JSON],
    now: datetime, kept: timedelta,
) -> AgentSession:  # fmt: skip
    """A person said something: it is stored, and an answer begun. What was open before is closed.

    The caller holds the session's lock, so that nobody answers in it.  Raises: ConflictError, SessionSpentError.
    """
    if before.state is SessionState.TERMINATED or before.is_over(now):
        raise ConflictError(f"the session is {before.status(now).value}; open another", session_id=before.session_id)
    if before.state is SessionState.ANSWERING:
        before = closed(session, principal, before, MessageStatus.INTERRUPTED, INTERRUPTED, now)
    if before.state is SessionState.ASKING:
        reason = "the person said something else in place of a confirmation"
        before = closed(session, principal, before, MessageStatus.CUT, reason, now)
    _check_left(before)
    question, answer_id = new_id("msg"), new_id("msg")
    said = AgentMessage(question, before.places, "user", content, now, answer_id, metadata=metadata)
    session.agent_sessions.say(principal, before.session_id, said)
    after = replace(
        before,
        name=before.name or _name_of(content),
        state=SessionState.ANSWERING,
        turn=Turn(answer_id, now),
        messages=before.messages + 1,
        places=before.places + 1,
        last_activity_at=now,
        updated_at=now,
        expires_at=now + kept,
    )
    session.agent_sessions.replace(principal, after)
    return after


def stepped(
    session: Session, principal: Principal, session_id: str, turn: Turn, use: ToolUse, spent: Spent, documents: int,
    now: datetime, place: int | None = None,
) -> AgentSession:  # fmt: skip
    """A tool was called: what it was and what came of it. place: of a call that stands there already.

    Raises: ConflictError where the answer is no longer this one.
    """
    found = answering(session, principal, session_id, turn)
    at = found.places if place is None else place
    message = AgentMessage(new_id("msg"), at, "tool", "", now, turn.message_id, use.status, use)
    session.agent_sessions.say(principal, session_id, message)
    after = replace(
        found,
        places=max(found.places, at + 1),
        documents=max(found.documents, documents),
        spent=found.spent.plus(spent),
        turn=replace(turn, steps=turn.steps),
        last_activity_at=now,
    )
    session.agent_sessions.replace(principal, after)
    return after


def asked(
    session: Session, principal: Principal, session_id: str, turn: Turn, tool: str, arguments: Mapping[str, JSON],
    spent: Spent, now: datetime,
) -> AgentSession:  # fmt: skip
    """A write waits for a person's word. Raises: ConflictError where the answer is no longer this one."""
    use = ToolUse(tool, dict(arguments), "", MessageStatus.AWAITING)
    after = stepped(session, principal, session_id, turn, use, spent, 0, now)
    confirmation = Confirmation(new_id("conf"), tool, arguments, turn.message_id, now + CONFIRM_WITHIN)
    after = replace(after, state=SessionState.ASKING, turn=replace(turn, confirmation=confirmation))
    session.agent_sessions.replace(principal, after)
    return after


def confirmed(
    session: Session, principal: Principal, before: AgentSession, confirmation_id: str, now: datetime
) -> tuple[AgentSession, AgentMessage]:
    """The session answering again, and the call that waited: interrupted, until more is known of it.

    Raises: NotFoundError where no such confirmation is open.
    """
    turn = before.turn
    if before.state is not SessionState.ASKING or turn is None or turn.confirmation is None:
        raise NotFoundError.of("open confirmation", confirmation_id)
    if turn.confirmation.confirmation_id != confirmation_id:
        raise NotFoundError.of("open confirmation", confirmation_id)
    waiting = next(
        one
        for one in reversed(session.agent_sessions.last_said(principal, before.session_id, 2))
        if one.status is MessageStatus.AWAITING
    )
    left = "a person answered; what came of it is not known"
    waiting = _settled(waiting, MessageStatus.INTERRUPTED, left)
    session.agent_sessions.say(principal, before.session_id, waiting)
    after = replace(before, state=SessionState.ANSWERING, last_activity_at=now, turn=replace(turn, confirmation=None))
    session.agent_sessions.replace(principal, after)
    return after, waiting


def lapsed(session: Session, principal: Principal, before: AgentSession, confirmation_id: str, now: datetime) -> bool:
    """Close the answer whose confirmation came too late; whether it was so. Raises: nothing."""
    confirmation = before.turn.confirmation if before.turn else None
    is_late = (
        confirmation is not None and confirmation.confirmation_id == confirmation_id and now >= confirmation.expires_at
    )
    if is_late:
        closed(session, principal, before, MessageStatus.CUT, "the confirmation came too late", now)
    return is_late


def too_late(confirmation_id: str) -> BadRequestError:
    minutes = int(CONFIRM_WITHIN.total_seconds() // 60)
    message = f"a confirmation is open for {minutes} minutes, and this one no longer is; ask again"
    return BadRequestError(message, confirmation_id=confirmation_id)


def ended(
    session: Session, principal: Principal, session_id: str, turn: Turn, answer: AgentMessage, spent: Spent
) -> AgentMessage:
    """The answer, at the end of what was said. Raises: ConflictError where the answer is no longer this one."""
    found = answering(session, principal, session_id, turn)
    answer = replace(answer, place=found.places)
    session.agent_sessions.say(principal, session_id, answer)
    after = replace(
        found,
        state=SessionState.OPEN,
        turn=None,
        places=found.places + 1,
        messages=found.messages + 1,
        spent=found.spent.plus(spent),
        last_activity_at=answer.at,
        updated_at=answer.at,
    )
    session.agent_sessions.replace(principal, after)
    return answer


def closed(
    session: Session, principal: Principal, before: AgentSession, status: MessageStatus, reason: str, now: datetime
) -> AgentSession:
    """The session with nothing open in it: an answer under way ends as it says, a call that waits lapses."""
    turn = before.turn
    if turn is None:
        return before
    for one in session.agent_sessions.last_said(principal, before.session_id, 2):
        if one.status is MessageStatus.AWAITING:
            session.agent_sessions.say(principal, before.session_id, _settled(one, MessageStatus.LAPSED, "no answer"))
    answer = AgentMessage(turn.message_id, before.places, "assistant", "", now, turn.message_id, status, reason=reason)
    session.agent_sessions.say(principal, before.session_id, answer)
    after = replace(
        before, state=SessionState.OPEN, turn=None, places=before.places + 1, messages=before.messages + 1,
        updated_at=now,
    )  # fmt: skip
    session.agent_sessions.replace(principal, after)
    return after


def answering(session: Session, principal: Principal, session_id: str, turn: Turn) -> AgentSession:
    """The session, while this answer is the one that it works at. Raises: ConflictError."""
    found = session.agent_sessions.get(principal, session_id)
    is_mine = found is not None and found.turn is not None and found.turn.message_id == turn.message_id
    if found is None or not is_mine or found.state is not SessionState.ANSWERING:
        raise ConflictError("the session ended, or its answer was closed, while this one was made")
    return found


def left_of(found: AgentSession) -> tuple[float, int | None, int | None]:
    """(credits, tokens, tool calls) that the session may still use; None, and infinite credits, bound nothing."""
    quotas, spent = found.quotas, found.spent
    credits = math.inf if quotas.credits is None else max(0.0, quotas.credits - spent.credits)
    tokens = None if quotas.tokens is None else max(0, quotas.tokens - spent.tokens)
    calls = None if quotas.tool_calls is None else max(0, quotas.tool_calls - spent.tool_calls)
    return credits, tokens, calls


def _check_left(before: AgentSession) -> None:
    """Raises: SessionSpentError naming what is used up."""
    quotas, spent = before.quotas, before.spent
    questions = (before.messages + 1) // 2
    for name, limit, used in (
        ("max_messages", quotas.messages, questions),
        ("max_tokens_total", quotas.tokens, spent.tokens),
        ("max_credits", quotas.credits, spent.credits),
    ):
        if limit is not None and used >= limit:
            raise SessionSpentError(f"the session has used its {name}: {limit}", quota=name, limit=limit, used=used)


def _settled(message: AgentMessage, status: MessageStatus, shown: str) -> AgentMessage:
    use = message.tool
    return replace(message, status=status, tool=None if use is None else replace(use, status=status, shown=shown))


def _name_of(content: str) -> str:
    line = " ".join(content.split())
    return line if len(line) <= _NAME_CHARACTERS else f"{line[: _NAME_CHARACTERS - 1]}…"
