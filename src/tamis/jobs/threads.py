"""The threads that extractors are called on. A stop gives calls a moment and leaves behind what does not end."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from tamis.engine.ports.extraction import Extractor
from tamis.engine.ports.inference import Models
from tamis.jobs.calling import Result, Source, call, step_back


class ExtractorThreads(ThreadPoolExecutor):
    """A Caller. A call of a model cannot be broken off: one that goes on after `leave` is for nobody.

    Its items have stayed waiting, for they are done when they are committed. The interpreter does not end before such
    a call does; whoever ends the process looks at `left_behind` and ends it at once.
    """

    trouble = None

    def __init__(self, count: int) -> None:
        super().__init__(count, thread_name_prefix="extract", initializer=step_back)
        self.at_once = count
        self.leaving = threading.Event()
        self._under_way: set[Future[Any]] = set()

    async def call(self, extractor: Extractor, sources: Sequence[Source], models: Models) -> Mapping[str, Result]:
        return await asyncio.get_running_loop().run_in_executor(self, call, extractor, sources, models, self.leaving)

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future = super().submit(work, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def leave(self, patience_s: float) -> None:
        """Take no more calls, drop those that wait, give the others so long. Blocks."""
        self.leaving.set()
        self.shutdown(wait=False, cancel_futures=True)
        wait(self._under_way.copy(), patience_s)

    @property
    def left_behind(self) -> int:
        """Calls that go on."""
        return sum(not future.done() for future in self._under_way.copy())
