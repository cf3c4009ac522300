"""Answers that no server makes any more, told as interrupted; and sessions whose time is over, let go."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.jobs.durable import DurableWorker
from tamis.model.agent_session import AgentSession, MessageStatus, SessionState
from tamis.model.batch import TaskStatus
from tamis.model.principal import Principal
from tamis.services.agents.answering import NOUN
from tamis.services.agents.turns import INTERRUPTED, closed

_LOG = logging.getLogger(__name__)
_AT_ONCE = 100
_SWEEP_EVERY = timedelta(minutes=10)


class AgentAnswers(DurableWorker[AgentSession]):
    """Who answers in a session holds its lock: where nobody does, the server that did is gone."""

    noun = NOUN

    def __init__(self, metadata: Metadata, clock: Clock, locks: Locks | None = None, poll_s: float = 2.0) -> None:
        super().__init__(locks, poll_s)
        self._metadata = metadata
        self._clock = clock
        self._swept_at = clock.now() - _SWEEP_EVERY

    def identifier(self, piece: AgentSession) -> str:
        return piece.session_id

    async def unfinished(self) -> Sequence[tuple[Principal, AgentSession]]:
        if self._clock.now() - self._swept_at >= _SWEEP_EVERY:
            await self._sweep()
        return await self._metadata.read(lambda session: session.agent_sessions.answering())

    async def see_through(self, principal: Principal, piece: AgentSession, hold: Hold) -> None:
        await self.give_up(principal, piece, INTERRUPTED, TaskStatus.FAILED)

    async def give_up(self, principal: Principal, piece: AgentSession, reason: str, status: TaskStatus) -> None:
        now = self._clock.now()

        def close(session: Session) -> None:
            found = session.agent_sessions.get(principal, piece.session_id)
            if found is not None and found.state is SessionState.ANSWERING:
                closed(session, principal, found, MessageStatus.INTERRUPTED, reason, now)

        await self._metadata.write(close)

    async def _sweep(self) -> None:
        """A few at a time, each with all that was said in it."""
        self._swept_at = now = self._clock.now()
        while some := await self._metadata.read(lambda session: session.agent_sessions.over(now, _AT_ONCE)):
            for principal, one in some:
                await self._metadata.write(
                    lambda session, who=principal, it=one: session.agent_sessions.delete(who, it.session_id)  # type: ignore[misc]
                )
            _LOG.info("%d sessions with agents were over and are gone", len(some))
