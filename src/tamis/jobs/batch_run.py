"""One batch on its way through its tiers: load, extract and commit overlap, so that the model never waits."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from time import monotonic
from typing import TypeVar

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Extractors
from tamis.engine.ports.inference import Models
from tamis.engine.ports.locks import Hold
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import IndexUnavailableError, NotFoundError, StorageUnavailableError
from tamis.jobs import batch_state
from tamis.jobs.calling import Caller, Result, Source
from tamis.jobs.committing import COLLECTION_GONE, Chunk, Committed, commit, failed
from tamis.jobs.loading import Loaded, Loader, Unloadable
from tamis.jobs.made_files import payloads
from tamis.jobs.sharing import Share, Sharing
from tamis.model.batch import Batch, BatchItem, Tier
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.services.data.files import FileKeeping
from tamis.services.upkeep.indexing import Indexer

R = TypeVar("R")

_WINDOW = 512
_SMALLEST, _FIRST_OF_FILES, _FIRST, _LARGEST = 1, 4, 64, 256
_TOO_SHORT_S, _TOO_LONG_S = 0.5, 2.5


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every batch works with."""

    metadata: Metadata
    indexer: Indexer
    extractors: Extractors
    models: Models
    loader: Loader
    keeping: FileKeeping
    sharing: Sharing
    caller: Caller


@dataclass(frozen=True, slots=True)
class _Work:
    collection: Collection
    extractor: Extractor | None
    share: Share
    holder: str


class BatchRun:
    def __init__(self, workshop: Workshop, principal: Principal, batch: Batch, hold: Hold) -> None:
        """hold: of the batch; without it, what was extracted is another's to commit."""
        self._shop = workshop
        self._hold = hold
        self._principal = principal
        self._batch = batch
        self._sizes: dict[str, int] = {}
        self._in_flight: set[tuple[str, str]] = set()
        self._open: dict[str, Share | None] = {}
        self._over = False
        self._is_taken_up = False

    async def run(self) -> None:
        """Go through the tiers until nothing waits. Safe to repeat after a kill at any point."""
        try:
            await self._run()
        finally:
            for holder in tuple(self._open):
                self._close(holder)
                await self._shop.keeping.release(self._principal, holder)

    async def _run(self) -> None:
        batch_id = self._batch.batch_id
        while not self._over:
            for tier in self._batch.tiers:
                await self._run_tier(tier.number)
                if self._over:
                    return
            if await self._write(lambda session: batch_state.finish(session, self._principal, batch_id)):
                return
            self._over = await self._write(lambda session: batch_state.is_over(session, self._principal, self._batch))

    async def _run_tier(self, number: int) -> None:
        batch_id = self._batch.batch_id
        is_taken_up, self._is_taken_up = not self._is_taken_up, True
        batch = await self._write(
            lambda session: batch_state.begin_tier(session, self._principal, batch_id, number, is_taken_up)
        )
        if batch is None:
            self._over = True
            return
        self._batch = batch
        while not self._over and await self._waiting(number, 1):
            await self._drain(batch.tiers[number])
        if self._over:
            return
        for collection_id in batch.tiers[number].collection_ids:
            await self._make_searchable(collection_id)
        self._over = not await self._write(
            lambda session: batch_state.end_tier(session, self._principal, batch_id, number)
        )

    async def _drain(self, tier: Tier) -> None:
        extractors = self._shop.caller.at_once + 1  # one more, so that the next call is queued already
        loaded: asyncio.Queue[_Work | None] = asyncio.Queue(1)
        extracted: asyncio.Queue[Chunk | None] = asyncio.Queue(2)
        touched: asyncio.Queue[str | None] = asyncio.Queue()

        async def extract_all() -> None:
            async with asyncio.TaskGroup() as consumers:
                for _ in range(extractors):
                    consumers.create_task(self._extract(tier, loaded, extracted))
            await extracted.put(None)

        async with asyncio.TaskGroup() as group:
            group.create_task(self._load(tier, loaded, extractors))
            group.create_task(extract_all())
            group.create_task(self._commit(extracted, touched))
            group.create_task(self._follow(touched))

    async def _load(self, tier: Tier, loaded: asyncio.Queue[_Work | None], consumers: int) -> None:
        while not self._over:
            waiting = await self._waiting(tier.number, len(self._in_flight) + _WINDOW)
            fresh = [item for item in waiting if (item.collection_id, item.source_id) not in self._in_flight]
            if not fresh:
                break
            for collection_id in {item.collection_id for item in fresh} - self._sizes.keys():
                self._sizes[collection_id] = await self._first_size(collection_id)
            for items in self._cut(fresh):
                if self._over:
                    break
                self._in_flight.update((item.collection_id, item.source_id) for item in items)
                work = await self._load_chunk(items)
                if work is not None:
                    await loaded.put(work)
        for _ in range(consumers):
            await loaded.put(None)

    async def _first_size(self, collection_id: str) -> int:
        """A file may be a film: nobody knows yet how long one takes."""
        collection = await self._shop.metadata.read(
            lambda session: session.collections.get(self._principal, collection_id)
        )
        config = collection.extractor if collection else None
        extractor = self._shop.extractors.get(config.name, config.version) if config else None
        inputs = extractor.input_schema.get("properties", {}).values() if extractor else ()
        return _FIRST_OF_FILES if any(one.get("format") == "binary" for one in inputs) else _FIRST

    def _cut(self, items: Sequence[BatchItem]) -> Iterator[list[BatchItem]]:
        by_collection: defaultdict[str, list[BatchItem]] = defaultdict(list)
        for item in items:
            by_collection[item.collection_id].append(item)
        for collection_id, members in by_collection.items():
            start = 0
            while start < len(members):
                # Nobody is idle while another has it all.
                size = min(self._sizes[collection_id], ceil(len(members) / self._shop.caller.at_once))
                yield members[start : start + size]
                start += size

    async def _load_chunk(self, items: Sequence[BatchItem]) -> _Work | None:
        collection_id = items[0].collection_id
        collection = await self._shop.metadata.read(
            lambda session: session.collections.get(self._principal, collection_id)
        )
        if collection is None:
            await self._fail(items)
            return None
        config = collection.extractor
        extractor = self._shop.extractors.get(config.name, config.version)
        if extractor is None:
            failure = ExtractionFailure(f"the extractor {config.name}@{config.version} is not installed", "dependency")
            share = await self._shop.sharing.divide(self._principal, [Unloadable(item, failure) for item in items], "")
            return _Work(collection, None, share, "")
        holder = self._shop.keeping.holder()
        self._open[holder] = None
        loads = await self._shop.loader.load(self._principal, collection, extractor, items, holder)
        share = self._open[holder] = await self._shop.sharing.divide(self._principal, loads, holder)
        return _Work(collection, extractor, share, holder)

    def _close(self, holder: str) -> None:
        """The chunk is committed, or given up: who waits for a content of it looks for himself."""
        share = self._open.pop(holder, None)
        if share is not None:
            share.close()

    async def _extract(
        self, tier: Tier, loaded: asyncio.Queue[_Work | None], extracted: asyncio.Queue[Chunk | None]
    ) -> None:
        while (work := await loaded.get()) is not None:
            loads = work.share.loads
            if self._over:
                self._close(work.holder)
                self._shop.loader.release(loads)
                continue
            took_us: dict[str, int] = {}
            try:
                results = await self._results(work, took_us)
            finally:
                self._shop.loader.release(loads)
            keys = await self._shop.keeping.put(self._principal, work.holder, payloads(results.values()))
            await extracted.put(Chunk(tier, work.collection, loads, results, work.holder, keys, took_us))

    async def _results(self, work: _Work, took_us: dict[str, int]) -> Mapping[str, Result]:
        """Of every source, each content extracted once, wherever else it is being extracted.

        took_us: is told what each source took that was.
        """
        share = work.share
        results = await self._called(work, share.to_extract(), took_us)
        share.tell(results)
        more = await self._called(work, await share.wait(), took_us)
        share.tell(more)
        return {**results, **more, **share.results()}

    async def _called(self, work: _Work, loads: Sequence[Loaded], took_us: dict[str, int]) -> Mapping[str, Result]:
        if work.extractor is None or not loads:
            return {}
        started, sources = monotonic(), [Source(load.item, load.parameters) for load in loads]
        results = await self._shop.caller.call(work.extractor, sources, self._shop.models)
        took_s = monotonic() - started
        self._adapt(work.collection.collection_id, len(loads), took_s)
        took_us.update(dict.fromkeys(results, round(took_s * 1e6 / len(loads))))
        return results

    async def _commit(self, extracted: asyncio.Queue[Chunk | None], touched: asyncio.Queue[str | None]) -> None:
        while (chunk := await extracted.get()) is not None:
            if not await self._hold.stands():
                raise StorageUnavailableError("the batch was lost to another worker while the database was away")
            committed = await self._write(partial(self._commit_chunk, chunk=chunk))
            self._close(chunk.holder)
            for collection_id in committed.touched:
                touched.put_nowait(collection_id)
            self._in_flight.difference_update(
                (load.batch_item.collection_id, load.batch_item.source_id) for load in chunk.loads
            )
        touched.put_nowait(None)

    async def _follow(self, touched: asyncio.Queue[str | None]) -> None:
        """The index takes what came with several commits at once, and none of them waits for it."""
        is_last = False
        while not is_last:
            some = [await touched.get()]
            while not touched.empty():
                some.append(touched.get_nowait())
            is_last = None in some
            for collection_id in {one for one in some if one is not None}:
                await self._index(collection_id)

    def _commit_chunk(self, session: Session, chunk: Chunk) -> Committed:
        # A batch that was cancelled, or has gone with its namespace, takes nothing more.
        self._over = self._over or batch_state.is_over(session, self._principal, self._batch)
        if self._over:
            session.files.release(self._principal, chunk.holder)
            return Committed(0, 0, 0, ())
        # Where several collections take the same objects, their status is set when the tier ends.
        alone = self._batch.tells_objects_of(chunk.tier) and len(chunk.tier.collection_ids) == 1
        committed = commit(session, self._principal, chunk, self._batch.tiers, alone, self._batch.keeps_history)
        session.files.release(self._principal, chunk.holder)
        batch_state.note_progress(session, self._principal, self._batch)
        return committed

    def _adapt(self, collection_id: str, count: int, duration_s: float) -> None:
        """Calls of about a second: long enough for texts of like length to be embedded together, short enough to be
        cancelled or shared.
        """
        size = self._sizes[collection_id]
        if duration_s < _TOO_SHORT_S and count >= size:
            self._sizes[collection_id] = min(_LARGEST, size * 2)
        elif duration_s > _TOO_LONG_S:
            self._sizes[collection_id] = max(_SMALLEST, size // 2)

    async def _index(self, collection_id: str) -> None:
        # The rows are durable and the indexer goes on by itself: an index that is away delays searches alone. A shard
        # that is gone went with its collection.
        with contextlib.suppress(IndexUnavailableError, NotFoundError):
            await self._shop.indexer.apply(self._principal, collection_id)

    async def _make_searchable(self, collection_id: str) -> None:
        """A tier is done once its documents are found: wait for an index that is away."""
        while not self._over:
            try:
                await self._shop.indexer.apply(self._principal, collection_id)
                return
            except NotFoundError:
                return  # deleted meanwhile, with its shard
            except IndexUnavailableError:
                self._over = await self._write(
                    lambda session: batch_state.is_over(session, self._principal, self._batch)
                )

    async def _waiting(self, number: int, limit: int) -> Sequence[BatchItem]:
        return await self._shop.metadata.read(
            lambda session: session.batches.waiting_items(self._principal, self._batch.batch_id, number, limit)
        )

    async def _fail(self, items: Sequence[BatchItem]) -> None:
        """Their collection was deleted."""
        gone = [failed(item, COLLECTION_GONE) for item in items]

        def fail(session: Session) -> None:
            self._over = self._over or batch_state.is_over(session, self._principal, self._batch)
            if not self._over:
                session.batches.update_items(self._principal, gone)

        await self._write(fail)
        self._in_flight.difference_update((item.collection_id, item.source_id) for item in items)

    async def _write(self, function: Callable[[Session], R]) -> R:
        return await self._shop.metadata.write(function)
