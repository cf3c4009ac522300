"""The outside for callers on worker threads."""

import asyncio

from tamis.engine.ports.outside import Fetch, Fetched, Outside
from tamis.model.principal import Principal


class BlockingPages:
    """Implements WebPages: requests run on the server's own loop, where limits and pauses are kept."""

    def __init__(self, outside: Outside, loop: asyncio.AbstractEventLoop) -> None:
        self._outside = outside
        self._loop = loop

    def read(self, principal: Principal, fetch: Fetch) -> Fetched:
        running = asyncio.run_coroutine_threadsafe(self._outside.read_page(principal, fetch), self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise
