"""A search index that has lost documents is made again from the system of record, without anyone asking for it."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import IndexRebuildingError, IndexUnavailableError, NotFoundError
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.upkeep.indexing import Indexer

POLL_S = 10.0
WAIT_S = 10.0
_LOG_EVERY_S = 10.0
_LONGEST_S = 60.0
_LOG = logging.getLogger(__name__)

_Key: TypeAlias = tuple[str, str, str]
"""(organization, namespace, collection)"""


@dataclass(slots=True)
class _Making:
    """A shard that is being made again. `began`, `logged`: of the monotonic clock."""

    began: float
    logged: float
    done: int = 0
    documents: int = 0

    def left_s(self) -> float:
        passed_s = time.monotonic() - self.began
        return passed_s / self.done * (self.documents - self.done) if self.done else 0.0


class Healer:
    """Compares every tenant's shards with the system of record after the start, and whenever one lost its points.

    Until a shard has been compared, and while it is made again, it is in doubt: `whole` lets nobody read it.
    poll_s: how often the index is asked for its health.  wait_s: how long `whole` waits.
    """

    def __init__(
        self, metadata: Metadata, index: VectorIndex, indexer: Indexer, poll_s: float = POLL_S, wait_s: float = WAIT_S
    ) -> None:
        self.doubts = 0
        """How often a shard has come into doubt."""

        self._metadata = metadata
        self._index = index
        self._indexer = indexer
        self._poll_s = poll_s
        self._wait_s = wait_s
        self._doubted: dict[_Key, None] = {}
        self._making: dict[_Key, _Making] = {}
        self._looks: dict[_Key, asyncio.Task[bool]] = {}
        self._not_before: dict[_Key, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def expect(self) -> None:
        """Before anybody asks: what an earlier start left is in doubt. Shards that are made from here on are not."""
        self._doubted.update(dict.fromkeys(await self._metadata.read(_keys)))

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="index-healer")

    async def close(self) -> None:
        """A rebuild that this cuts short is seen and made again by the next start."""
        tasks = [*([self._task] if self._task else []), *self._looks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def heal(self) -> int:
        """Compare every shard with the system of record; returns how many were made again."""
        return await self._look_at(await self._metadata.read(_keys))

    async def whole(self, principal: Principal, collection_ids: Iterable[str]) -> int:
        """Return, with `doubts`, once these shards hold what the record does; those in doubt are looked at first.

        Raises: IndexRebuildingError, with the seconds after which to ask again, where that takes too long.
        """
        if self._doubted:
            asked = {_key(principal, one) for one in collection_ids}
            if waited := [key for key in asked if key in self._doubted]:
                in_vain = any(self._left_s(key) > self._wait_s for key in waited)
                await asyncio.wait([self._look(key) for key in waited], timeout=0 if in_vain else self._wait_s)
            if left := [key for key in waited if key in self._doubted]:
                raise self._incomplete(left[0])
        return self.doubts

    def doubt(self, principal: Principal, collection_ids: Iterable[str]) -> None:
        """The index said that one of these lost its points."""
        for collection_id in collection_ids:
            self._doubt(_key(principal, collection_id))

    def facts(self) -> Mapping[str, JSON]:
        """How far it has come, for the health of the index; nothing where all is well."""
        if not self._doubted:
            return {}
        making = self._making.values()
        done, documents = sum(one.done for one in making), sum(one.documents for one in making)
        rebuilding: JSON = {"collections": len(making), "documents": done, "of": documents}
        return {"unchecked": len(self._doubted) - len(making), "rebuilding": rebuilding}

    async def _watch(self) -> None:
        while True:
            try:
                lost = (await self._index.health()).get("needs_rebuild")
                await self._look_at(await self._metadata.read(_keys) if lost else list(self._doubted))
            except Exception:
                _LOG.exception("the indexes of the collections could not be looked at; that is tried again")
            await asyncio.sleep(self._poll_s)

    async def _look_at(self, keys: Sequence[_Key]) -> int:
        return sum([await asyncio.shield(self._look(key)) for key in keys])

    def _look(self, key: _Key) -> asyncio.Task[bool]:
        """All who ask for one shard share one look, which none of them ends."""
        task = self._looks.get(key)
        if task is None:
            # In a context of its own: what hangs on the first caller's request is not meant for this.
            task = self._looks[key] = asyncio.create_task(self._mend(key), context=Context(), name="index-look")
            task.add_done_callback(lambda _: self._looks.pop(key, None))
        return task

    async def _mend(self, key: _Key) -> bool:
        """Whether the shard was made again. One that could not be is in doubt still, and left alone for a while."""
        if time.monotonic() < self._not_before.get(key, 0.0):
            return False
        organization_id, namespace_id, collection_id = key
        try:
            mended = await self._indexer.repair(
                Principal(organization_id, namespace_id), collection_id, partial(self._told, key)
            )
        except (IndexUnavailableError, NotFoundError) as away:
            _LOG.info("the index of %s is looked at again later: %s", collection_id, away.message)
        except Exception:
            _LOG.exception("the index of %s could not be looked at; that is tried again", collection_id)
            self._not_before[key] = time.monotonic() + self._poll_s
        else:
            if mended:
                _LOG.warning("the index of %s is whole again", collection_id)
            self._doubted.pop(key, None)
            self._not_before.pop(key, None)
            return mended
        finally:
            self._making.pop(key, None)
        return False

    def _told(self, key: _Key, done: int, documents: int) -> None:
        now, collection_id = time.monotonic(), key[-1]
        if key not in self._making:
            self._making[key] = _Making(now, now)
            self._doubt(key)
            _LOG.warning("the index of %s lost documents; it is made again", collection_id)
        making = self._making[key]
        making.done, making.documents = done, documents
        if now - making.logged > _LOG_EVERY_S:
            making.logged = now
            _LOG.warning("the index of %s is made again: %d of %d documents", collection_id, done, documents)

    def _doubt(self, key: _Key) -> None:
        self.doubts += 1
        self._doubted[key] = None

    def _left_s(self, key: _Key) -> float:
        making = self._making.get(key)
        return making.left_s() if making is not None else 0.0

    def _incomplete(self, key: _Key) -> IndexRebuildingError:
        making = self._making.get(key)
        doing = "held against its documents" if making is None else "made again"
        done = f": {making.done} of {making.documents} documents so far" if making and making.documents else ""
        after_s = round(min(_LONGEST_S, max(1.0, self._left_s(key))))
        return IndexRebuildingError(
            f"the search index of a collection is being {doing}{done}; ask again in {after_s} s",
            collection_id=key[-1], retry_after=after_s,
        )  # fmt: skip


def _key(principal: Principal, collection_id: str) -> _Key:
    return principal.organization_id, principal.namespace_id, collection_id


def _keys(session: Session) -> list[_Key]:
    within = [principal for principal, _ in session.every_namespace()]
    return [_key(one, found.collection_id) for one in within for found in session.collections.list(one)]
