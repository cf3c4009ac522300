"""Whether the parts that this server stands on answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tamis import __version__
from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Metadata
from tamis.errors import TamisError
from tamis.model.json import JSON

_DEEP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Health:
    """errors: why, for each part that is not well. facts: what the parts say of themselves; nobody's data."""

    errors: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.errors


class HealthService:
    """queue_trouble: why batches are not worked off.  sharing: why servers share less than they should."""

    def __init__(
        self,
        metadata: Metadata,
        blobs: BlobStore,
        index: VectorIndex,
        models: Models,
        queue_trouble: Callable[[], str | None] = lambda: None,
        sharing: Callable[[], Awaitable[str | None]] | None = None,
    ) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._index = index
        self._models = models
        self._queue_trouble = queue_trouble
        self._sharing = sharing
        self._started = time.monotonic()
        self._is_draining = False

    def begin_drain(self) -> None:
        """The server is about to end: from here on it is not ready, though it still answers."""
        self._is_draining = True

    def is_draining(self) -> bool:
        return self._is_draining

    async def check(self, deep: bool = False) -> Health:
        """deep: also run the embedding model once."""
        metadata, blobs, index = await asyncio.gather(
            self._metadata.health(), self._blobs.health(), self._index.health()
        )
        errors: dict[str, str] = {}
        if not metadata.ok:
            errors["metadata"] = metadata.detail or "the system of record does not answer"
        if not blobs:
            errors["object_storage"] = "the blob store takes no writes"
        if not index.get("ok"):
            errors["vector_store"] = "the search index does not answer; it restarts by itself"
        if (stuck := self._queue_trouble()) is not None:
            errors["task_queue"] = stuck
        if self._sharing is not None and (trouble := await self._sharing()) is not None:
            errors["cache"] = f"Redis is away, so that this server counts limits alone and caches nothing: {trouble}"
        inference = await self._inference(deep)
        if inference is not None:
            errors["inference"] = inference
        facts: dict[str, JSON] = {
            "version": __version__,
            "uptime_s": round(time.monotonic() - self._started, 1),
            "metadata": {"backend": metadata.backend, **metadata.facts},
            "vector_store": dict(index),
        }
        return Health(errors, facts)

    async def ready(self) -> Sequence[str]:
        """Why requests cannot be answered; empty where they can. A store that only takes no writes is no reason."""
        if self._is_draining:
            return ["the server is ending"]
        metadata, blobs, index = await asyncio.gather(
            self._metadata.health(), self._blobs.answers(), self._index.health()
        )
        answers = {
            "metadata": metadata.ok,
            "object_storage": blobs,
            "vector_store": bool(index.get("ok")),
            "inference": self._models.available(),
        }
        return [part for part, answer in answers.items() if not answer]

    async def _inference(self, deep: bool) -> str | None:
        if not self._models.available():
            return "no model is at hand; `tamis doctor` says how to get one"
        if not deep:
            return None
        try:
            embedder = await asyncio.to_thread(self._models.embedder)
            async with asyncio.timeout(_DEEP_TIMEOUT_S):
                await asyncio.to_thread(embedder.embed_query, "health")
        except TimeoutError:
            return f"the embedding model took longer than {_DEEP_TIMEOUT_S:.0f} s"
        except TamisError as error:
            return error.message
        return None
