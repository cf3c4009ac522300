"""An answer that a reader follows event by event. It never waits for the reader, who may be slow or leave."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from tamis.model.json import JSON
from tamis.services.agents.answer import Answered
from tamis.services.agents.answering import Begun


@dataclass(frozen=True, slots=True)
class Happened:
    event: str
    data: Mapping[str, JSON]


class AnswerStream:
    """One answer and what it told that has not been read: some events a step, which are as many as a session allows."""

    def __init__(self, begun: Begun, heartbeat_s: float) -> None:
        self._session_id = begun.session.session_id
        self._heartbeat_s = heartbeat_s
        self._unread: deque[Happened] = deque()
        self._is_read = True
        self._news = asyncio.Event()
        self._running: asyncio.Future[Answered] = asyncio.ensure_future(begun.run(self._hear))
        self._running.add_done_callback(self._end)

    @property
    def name(self) -> str:
        return f"the answer in session {self._session_id}"

    async def events(self) -> AsyncGenerator[Happened | None, None]:
        """In order, until the answer is stored; None where nothing happened for as long as a heartbeat."""
        while True:
            self._news.clear()
            while self._unread:
                yield self._unread.popleft()
            if self._running.done():
                return
            if not await self._is_news():
                yield None

    async def run_unread(self) -> None:
        self._is_read = False
        self._unread.clear()
        await asyncio.wait((self._running,))

    async def close(self) -> BaseException | None:
        self._unread.clear()
        if self._running.done():
            return None
        self._running.cancel()
        await asyncio.wait((self._running,))
        return None if self._running.cancelled() else self._running.exception()

    async def _is_news(self) -> bool:
        try:
            async with asyncio.timeout(self._heartbeat_s):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _hear(self, event: str, data: Mapping[str, JSON]) -> None:
        if self._is_read:
            self._unread.append(Happened(event, data))
            self._news.set()

    def _end(self, running: asyncio.Future[Answered]) -> None:
        if not running.cancelled():
            running.exception()  # Asked for here, so that one nobody reads is not reported as forgotten.
        self._news.set()
