"""Ports that measure what goes through them: the same answers, and how much CPU each part of an execution took."""

import asyncio
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send
from tests.passing_models import PassingModels

from tamis.engine.ports.executions import Entry
from tamis.engine.ports.index import Scored, VectorIndex, VectorSearch
from tamis.engine.ports.inference import (
    Embedder,
    LexicalEncoder,
    Models,
)
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.stage import Context, Outcome
from tamis.engine.stages.feature_search import FeatureSearch
from tamis.model.hits import Hits
from tamis.model.principal import Principal
from tamis.model.vector import FloatArray, Sparse

T = TypeVar("T")


class Meter:
    """CPU by part for requests that come one at a time; `split` gives medians in milliseconds."""

    def __init__(self) -> None:
        self._parts: dict[str, float] = {}
        self._rows: list[dict[str, float]] = []
        self._lock = threading.Lock()
        self._last = 0.0
        self._reading = 0.0
        self._on = False

    def start(self) -> None:
        self._rows.clear()
        self._parts.clear()
        self._on = True
        self._last = self.now()

    def add(self, part: str, seconds: float) -> None:
        with self._lock:
            self._parts[part] = self._parts.get(part, 0.0) + seconds

    def now(self) -> float:
        """CPU seconds of this process, all threads, without those that reading this clock has taken.

        In a process of many threads on a virtual machine a reading takes tens of microseconds, and there are a dozen in
        each execution.
        """
        return self._read(time.process_time)

    def here(self) -> float:
        """As `now`, of the calling thread alone."""
        return self._read(time.thread_time)

    def _read(self, clock: Callable[[], float]) -> float:
        began = time.perf_counter()
        value = clock()
        with self._lock:
            self._reading += time.perf_counter() - began
            return value - self._reading

    def so_far(self, part: str) -> float:
        return self._parts.get(part, 0.0)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Close one row at the end of each request: everything since the row before belongs to it, HTTP included."""

        async def metered(scope: Scope, receive: Receive, send: Send) -> None:
            started = self.now()
            await app(scope, receive, send)
            if scope["type"] == "http" and self._on:
                self._close_row(started)

        return metered

    def _close_row(self, started: float) -> None:
        now = self.now()
        with self._lock:
            row = {**self._parts, "total": now - self._last, "http_server": started - self._last}
            self._parts.clear()
        self._last = now
        self._rows.append(row)

    def split(self) -> dict[str, Any]:
        """`cpu_ms_outside`: everything but embedding the query and the search stage's own work."""
        self._on = False
        names = sorted({name for row in self._rows for name in row})
        medians = {
            f"cpu_ms_{name}": round(statistics.median(row.get(name, 0.0) for row in self._rows) * 1000, 3)
            for name in names
        }
        outside = statistics.median(row["total"] - row.get("embed", 0) - row.get("search", 0) for row in self._rows)
        return {**medians, "cpu_ms_outside": round(outside * 1000, 3), "rows": len(self._rows)}


class MeteredModels(PassingModels):
    """`Models` whose embedders and encoder are timed by process CPU, so that the model's own threads count too."""

    def __init__(self, inner: Models, meter: Meter) -> None:
        super().__init__(inner)
        self._meter = meter

    def embedder(self, name: str | None = None) -> Embedder:
        return _MeteredEmbedder(self._inner.embedder(name), self._meter)

    def lexical(self) -> LexicalEncoder:
        return _MeteredEncoder(self._inner.lexical(), self._meter)


class _MeteredEncoder:
    """A query's words become a vector here: part of `embed`."""

    def __init__(self, inner: LexicalEncoder, meter: Meter) -> None:
        self.version = inner.version
        self._inner = inner
        self._meter = meter

    def encode_document(self, text: str, language: str | None = None) -> Sparse:
        return self._inner.encode_document(text, language)

    def encode_query(self, text: str, language: str | None = None) -> Sparse:
        started = self._meter.here()
        try:
            return self._inner.encode_query(text, language)
        finally:
            self._meter.add("embed", self._meter.here() - started)


class _MeteredEmbedder:
    def __init__(self, inner: Embedder, meter: Meter) -> None:
        self.info = inner.info
        self._inner = inner
        self._meter = meter

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        return self._timed(lambda: self._inner.embed_documents(texts))

    def embed_query(self, text: str) -> FloatArray:
        return self._timed(lambda: self._inner.embed_query(text))

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        return self._inner.spans(text)

    def _timed(self, call: Callable[[], T]) -> T:
        started = self._meter.now()
        try:
            return call()
        finally:
            self._meter.add("embed", self._meter.now() - started)


def metered_search(meter: Meter) -> type[FeatureSearch]:
    """`feature_search`, timed: asking the index, fusing, reading what was found. The model's part is told apart."""

    class MeteredSearch(FeatureSearch):
        async def run(self, hits: Hits, context: Context) -> Outcome:
            started, embedded = meter.now(), meter.so_far("embed")
            try:
                return await super().run(hits, context)
            finally:
                meter.add("search", meter.now() - started - (meter.so_far("embed") - embedded))

    return MeteredSearch


class MeteredIndex:
    """`VectorIndex` whose searches are timed: the server's side of the call, not the index process's CPU."""

    def __init__(self, inner: VectorIndex, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        started = self._meter.now()
        try:
            return await self._inner.search(principal, searches)
        finally:
            self._meter.add("search_index_call", self._meter.now() - started)


class MeteredMetadata:
    """`Metadata` whose reads and writes are timed; on the path of an execution a write is its record."""

    def __init__(self, inner: Metadata, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def read(self, function: Callable[[Session], T]) -> T:
        return await self._timed("read", self._inner.read, function)

    async def read_now(self, function: Callable[[Session], T]) -> T:
        """The search stage reads the documents that it found here: part of `search`, told apart."""
        part = "search_read_documents" if "hydrate" in function.__qualname__ else "read"
        return await self._timed(part, self._inner.read_now, function)

    async def write(self, function: Callable[[Session], T]) -> T:
        return await self._timed("record", self._inner.write, function)

    def keep(self, entry: Entry) -> "asyncio.Future[None]":
        started = self._meter.now()
        kept = self._inner.keep(entry)
        kept.add_done_callback(lambda _: self._meter.add("record", self._meter.now() - started))
        return kept

    async def _timed(self, part: str, call: Callable[[Any], Awaitable[T]], function: Any) -> T:
        started = self._meter.now()
        try:
            return await call(function)
        finally:
            self._meter.add(part, self._meter.now() - started)
