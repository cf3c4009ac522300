"""Messages to agents: answered step by step, each step durable before the next, and told as it happens."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.rates import MINUTE_S, Claim, Rate, Rates
from tamis.errors import ConflictError, TooManyRequestsError
from tamis.model.agent_session import AgentMessage, AgentSession, SessionState
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.agents import turns
from tamis.services.agents.agent_sessions import KEPT, find_session
from tamis.services.agents.answer import Answer, Answered, Asked, Crew, Tell
from tamis.services.json_values import check_json

NOUN = "agent answer"
_PATIENCE_S = 1.0
"""How long a session's lock is waited for that nobody answers with."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that is stored and whose answer is to be made, by whoever calls `run`. Nobody else does meanwhile."""

    session: AgentSession
    answer: Answer
    hold: Hold

    async def run(self, tell: Tell) -> Answered:
        """The answer, durable before this returns. Cancelled, it is stored as that.

        Raises: ConflictError where the session was terminated meanwhile.
        """
        try:
            return await self.answer.make(tell)
        finally:
            await self.hold.release()


class AnsweringService:
    """One message of a session is answered at a time; who sends another meanwhile is refused."""

    def __init__(self, metadata: Metadata, crew: Crew, rates: Rates, locks: Locks, clock: Clock) -> None:
        self._metadata = metadata
        self._crew = crew
        self._rates = rates
        self._locks = locks
        self._clock = clock

    async def begin(self, principal: Principal, session_id: str, content: str, metadata: Mapping[str, JSON]) -> Begun:
        """Store the message. Raises: NotFoundError, ConflictError, SessionSpentError, TooManyRequestsError."""
        check_json(dict(metadata), ["body", "metadata"])
        found = await self._metadata.read(lambda session: find_session(session, principal, session_id))
        await self._check_rate(found)

        def open_turn(session: Session) -> AgentSession:
            before = find_session(session, principal, session_id)
            return turns.opened(session, principal, before, content, metadata, self._clock.now(), KEPT)

        hold = await self._take(principal, session_id)
        try:
            opened = await self._metadata.write(open_turn)
        except BaseException:
            await hold.release()
            raise
        return self._begun(principal, opened, hold, None, is_first=found.name is None)

    async def confirm(self, principal: Principal, session_id: str, confirmation_id: str, is_approved: bool) -> Begun:
        """Go on with the answer that waits for a person's word. Raises: NotFoundError, ConflictError, BadRequestError
        where the word came too late."""

        def go_on(session: Session) -> tuple[AgentSession, AgentMessage] | None:
            before, now = find_session(session, principal, session_id), self._clock.now()
            if turns.lapsed(session, principal, before, confirmation_id, now):
                return None
            return turns.confirmed(session, principal, before, confirmation_id, now)

        await self._metadata.read(lambda session: find_session(session, principal, session_id))
        hold = await self._take(principal, session_id)
        try:
            confirmed = await self._metadata.write(go_on)
            if confirmed is None:
                raise turns.too_late(confirmation_id)
        except BaseException:
            await hold.release()
            raise
        after, waiting = confirmed
        return self._begun(principal, after, hold, Asked(waiting, is_approved))

    def _begun(
        self, principal: Principal, found: AgentSession, hold: Hold, asked: Asked | None, is_first: bool = False
    ) -> Begun:
        return Begun(found, Answer(self._crew, principal, found, asked, is_first), hold)

    async def _take(self, principal: Principal, session_id: str) -> Hold:
        """The session's lock. Raises: ConflictError while a message is being answered."""
        name = lock_name(session_id)
        for _ in range(3):
            hold = await self._locks.take(name)
            if hold is not None:
                return hold
            found = await self._metadata.read(lambda session: find_session(session, principal, session_id))
            if found.state is SessionState.ANSWERING:
                break
            try:  # who has it looks whether a dead server left something open; that is short
                async with asyncio.timeout(_PATIENCE_S):
                    await self._locks.freed(name)
            except TimeoutError:
                break
        message = "a message of this session is being answered; send the next one after it, or terminate the session"
        raise ConflictError(message, session_id=session_id)

    async def _check_rate(self, found: AgentSession) -> None:
        """Raises: TooManyRequestsError."""
        limit = found.quotas.messages_per_minute
        if limit is None:
            return
        decision = await self._rates.take([Claim(f"agent_session:{found.session_id}", Rate(limit, MINUTE_S))])
        if not decision.is_granted:
            message = f"this session takes {limit} messages a minute (rate_limit_messages_per_minute)"
            raise TooManyRequestsError(message, decision.retry_after_s, limit=limit, subject="session")


def lock_name(session_id: str) -> str:
    """Of who answers in the session; as a durable worker of answers names it."""
    return f"{NOUN} {session_id}"
