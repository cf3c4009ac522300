"""Extractor calls by actors of a Ray cluster, each a process that keeps the models it has loaded.

The cluster is reached through its Ray Client server, so that it may go away without taking this process along. A call
is a piece of a batch: where its actor dies it is made again, by halves, so that a source that kills its actor stands
alone; where the cluster is away the batch waits. What has been committed is not called again.
"""

import asyncio
import contextlib
import logging
import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

import tamis
from tamis.engine.ports.extraction import ExtractionFailure, Extractor, SourceFile
from tamis.engine.ports.inference import Models
from tamis.errors import ExtractionUnavailableError
from tamis.jobs.bench import Bench, Make, Sent, SentFile
from tamis.jobs.calling import Result, Source
from tamis.jobs.threads import ExtractorThreads

PIECE_BYTES = 8 << 20
_DEATHS = 3
"""Of actors at one source alone, until it is the source's."""
_PAUSE_S = 1.0
_LOOK_S = 0.5
_UP_S = 60.0
_KNOCK_S = 2.0
_LINE = "\n"
_AWAY = (OSError, RayError)
_LOG = logging.getLogger("tamis.ray")


class RayActors(ExtractorThreads):
    """A Caller. Its threads wait for actors, one for each call at once."""

    trouble: str | None = None  # type: ignore[assignment] # threads never have one

    def __init__(self, address: str, make: Make, count: int) -> None:
        """address: `ray://host:port`.  make: what an actor works with."""
        super().__init__(count)
        self._address = address
        self._make = make
        self._connecting = threading.Lock()
        self._free: queue.Queue[Any] | None = None
        self._not_before = 0.0

    async def call(self, extractor: Extractor, sources: Sequence[Source], models: Models) -> Mapping[str, Result]:
        """models: left unused, for an actor has its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self, self._ask, extractor.name, extractor.version, sources)

    def leave(self, patience_s: float) -> None:
        super().leave(patience_s)
        with self._connecting:
            if self._free is not None:
                self._free = None
                _hang_up()

    def _ask(self, name: str, version: str, sources: Sequence[Source]) -> Mapping[str, Result]:
        free = None
        try:
            free = self._connected()
            results = self._by_halves(free, name, version, sources, 1)
        except RayTaskError as error:
            raise RuntimeError(f"an actor could not extract: {error.cause}") from error
        except _AWAY as error:
            if not self.leaving.is_set():
                self._lose(free, error)
            raise ExtractionUnavailableError(f"Ray does not answer: {error}") from error
        self.trouble = None
        return results

    def _by_halves(
        self, free: "queue.Queue[Any]", name: str, version: str, sources: Sequence[Source], attempt: int
    ) -> Mapping[str, Result]:
        ask = partial(self._by_halves, free, name, version)
        try:
            return self._by_one(free, name, version, sources)
        except RayActorError as error:
            _LOG.warning("an actor died at %d sources: %s", len(sources), error)
        if len(sources) > 1:
            middle = len(sources) // 2
            return {**ask(sources[:middle], 1), **ask(sources[middle:], 1)}
        if attempt < _DEATHS and not self.leaving.wait(_PAUSE_S):
            return ask(sources, attempt + 1)
        died = ExtractionFailure("the process that extracted this source died each time", "resource")
        return {sources[0].item.source_id: died}

    def _by_one(
        self, free: "queue.Queue[Any]", name: str, version: str, sources: Sequence[Source]
    ) -> Mapping[str, Result]:
        actor = free.get()
        try:
            sent = [_sent(one) for one in sources]
            asked = actor.extract.remote(name, version, sent)
            while not ray.wait([asked], timeout=_LOOK_S)[0]:
                if self.leaving.is_set():
                    raise ConnectionError("this server ends")
            results: Mapping[str, Result] = ray.get(asked)
            return results
        finally:
            free.put(actor)

    def _connected(self) -> "queue.Queue[Any]":
        """The actors that nobody asks at the moment."""
        with self._connecting:
            if self._free is None:
                if time.monotonic() < self._not_before:
                    raise ExtractionUnavailableError(self.trouble)
                self._knock()
                ray.init(self._address, logging_level=logging.WARNING, log_to_driver=False)
                try:
                    self._free = self._hired()
                except BaseException:
                    _hang_up()
                    raise
            return self._free

    def _knock(self) -> None:
        """Ray itself takes half a minute to say that nobody is there. Raises: OSError."""
        parts = urlsplit(self._address)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), _KNOCK_S):
            pass

    def _hired(self) -> "queue.Queue[Any]":
        """Actors that are up; those that the cluster has no place for are done without."""
        kind: Any = ray.remote(num_cpus=1, max_restarts=-1)(Bench)
        asked = {}
        for _ in range(self.at_once):
            actor = kind.remote(self._make, ray.get)
            asked[actor.version.remote()] = actor
        up, _ = ray.wait([*asked], num_returns=len(asked), timeout=_UP_S)
        if not up:
            raise ConnectionError(f"the cluster has had no place for an actor of one CPU for {_UP_S:.0f} s")
        for version in ray.get(up):
            if version != tamis.__version__:
                raise ConnectionError(f"its nodes have tamis {version}, this server {tamis.__version__}")
        free: queue.Queue[Any] = queue.Queue()
        for each in up:
            free.put(asked[each])
        _LOG.info("extracting by %d actors of %s", len(up), self._address)
        return free

    def _lose(self, free: "queue.Queue[Any] | None", error: BaseException) -> None:
        """Connect anew with the next call, and not at once. free: what it was that failed."""
        with self._connecting:
            if self._free is not free:
                return
            self.trouble = f"Ray is away, batches wait: {str(error).partition(_LINE)[0] or type(error).__name__}"
            self._not_before = time.monotonic() + _PAUSE_S
            _LOG.warning("%s", self.trouble)
            if self._free is not None:
                self._free = None
                _hang_up()


def _hang_up() -> None:
    """The actors end with the connection that they were made by."""
    with contextlib.suppress(*_AWAY):
        ray.shutdown()


def _sent(source: Source) -> Sent:
    files = {
        name: SentFile(file, [ray.put(piece) for piece in _pieces(file)]) for name, file in source.item.files.items()
    }
    return Sent(source.item, source.parameters.model_dump_json(), files)


def _pieces(file: SourceFile) -> Iterator[bytes]:
    with file.path.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece
