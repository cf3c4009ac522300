"""Files that the blob store keeps by their content: put there once, and deleted once nobody needs them."""

import asyncio
import contextlib
import logging
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tamis.engine.change import beside_the_change
from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.metadata import Metadata
from tamis.model.principal import Principal

POLL_S = 5.0
_HELD = timedelta(hours=24)
"""Longer than any call of an extractor: what a holder that was killed has left is let go at the next start anyway."""
_WRITES_AT_ONCE = 16
_CHUNK = 200
_READ_BYTES = 1 << 20
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Payload:
    """A file on its way into the store. content: its SHA-256 in hex.  data: its bytes, or where they come from."""

    content: str
    size_bytes: int
    data: bytes | Path | AsyncIterator[bytes]
    content_type: str | None = None


class FileKeeping:
    """home: of this server's holders, so that its next start knows those that a kill left behind."""

    def __init__(self, metadata: Metadata, blobs: BlobStore, home: str = "local") -> None:
        self._metadata = metadata
        self._blobs = blobs
        self.homes_holders = f"hold_{home}_"

    def holder(self) -> str:
        """The name of one who needs files until what names them is stored. `release` follows, in that transaction."""
        return f"{self.homes_holders}{secrets.token_hex(8)}"

    async def put(self, principal: Principal, holder: str, payloads: Sequence[Payload]) -> Mapping[str, str]:
        """Each content in the store, once for the namespace; its key by its SHA-256. Raises: StorageError."""
        by_content = {payload.content: payload for payload in payloads}
        if not by_content:
            return {}
        until = datetime.now(UTC) + _HELD
        contents = list(by_content)
        with beside_the_change():
            keys = await self._metadata.write(lambda session: session.files.hold(principal, holder, contents, until))
        gate = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def store(payload: Payload) -> None:
            async with gate:
                await self._store(principal, keys[payload.content], payload)

        # All of them end before a failure goes on, so that nothing is written after it has been let go.
        for outcome in await asyncio.gather(*map(store, by_content.values()), return_exceptions=True):
            if outcome is not None:
                raise outcome
        return keys

    async def hold(self, principal: Principal, holder: str, keys: Collection[str]) -> frozenset[str]:
        """Hold files that documents name; those of them that are still kept."""
        until, wanted = datetime.now(UTC) + _HELD, list(keys)
        with beside_the_change():
            return await self._metadata.write(lambda session: session.files.hold_keys(principal, holder, wanted, until))

    async def release(self, principal: Principal, holder: str) -> None:
        """What was held is stored by nobody."""
        with beside_the_change():
            await self._metadata.write(lambda session: session.files.release(principal, holder))

    async def _store(self, principal: Principal, key: str, payload: Payload) -> None:
        if await self._blobs.size(principal, key) == payload.size_bytes:
            return
        if isinstance(payload.data, bytes):
            await self._blobs.put(principal, key, payload.data, payload.content_type)
        else:
            data = payload.data
            await self._blobs.put_stream(principal, key, _chunks(data) if isinstance(data, Path) else data)


class FileSweeper:
    """Deletes from the store what nobody needs: at its start, every `poll_s` seconds, and at once when it is woken.

    What is to go stands in the system of record, so a sweep that a kill cut short is simply gone on with.
    """

    def __init__(self, metadata: Metadata, blobs: BlobStore, keeping: FileKeeping, poll_s: float = POLL_S) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self.keeping = keeping
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Before anything holds a file: whoever held one before is gone."""
        await self._metadata.write(lambda session: session.files.expire(datetime.now(UTC), self.keeping.homes_holders))
        self._task = asyncio.create_task(self._watch(), name="file-sweeper")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def wake(self) -> None:
        """Something may have been let go: look now."""
        self._woken.set()

    async def sweep(self) -> int:
        """Delete everything that nobody needs; returns how many files."""
        await self._metadata.write(lambda session: session.files.expire(datetime.now(UTC)))
        removed = 0
        while found := await self._metadata.read(lambda session: session.files.let_go(_CHUNK)):
            by_tenant: defaultdict[Principal, list[str]] = defaultdict(list)
            for principal, key in found:
                by_tenant[principal].append(key)
            for principal, keys in by_tenant.items():
                await self._delete(principal, keys)
            removed += len(found)
        return removed

    async def _delete(self, principal: Principal, keys: Sequence[str]) -> None:
        """From the store first: what a kill leaves between the two is deleted once more."""
        for key in keys:
            await self._blobs.delete(principal, key)
        await self._metadata.write(lambda session: session.files.forget(principal, keys))

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.sweep()
            except Exception:
                _LOG.exception("files that nobody needs could not be deleted; that is tried again")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _READ_BYTES):
            yield chunk
