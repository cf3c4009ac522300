"""The shards of one index process by their names, what is asked of them, and their builds."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tamis.errors import IndexRebuildingError, NotFoundError, StorageError
from tamis.storage.index.build import Build, Phase
from tamis.storage.index.comparing import differing, page_of_ids
from tamis.storage.index.files import ShardFiles
from tamis.storage.index.handover import Successor
from tamis.storage.index.shard import Shard
from tamis.storage.index.slot import Slot

BUILD_ATTEMPTS = 3
QUIET_S = 0.2
RETIRE_AFTER_S, RETIRE_SMALL_AFTER_S = 120.0, 10.0
EVENT = 0
"""The request id of what answers no call."""

Answer = tuple[int, list[str] | None, Any]
"""(request, error, result)"""


class Host:
    """threshold: how many points outside the graph start a build."""

    def __init__(self, root: Path, threshold: int) -> None:
        self._root = root
        self._threshold = threshold
        self._slots: dict[str, Slot] = {}
        self._successors: dict[str, Successor] = {}
        self._answers: list[Answer] = []
        self._retired: list[tuple[float, Callable[[], None]]] = []
        self._called_at = 0.0
        self._calls: dict[str, Callable[[str, Any], Any]] = {
            "create": self._create,
            "drop": self._drop,
            "describe": self._describe,
            "upsert": lambda name, argument: self._write("upsert", name, argument),
            "set_fields": lambda name, argument: self._write("set_fields", name, argument),
            "delete": lambda name, argument: self._write("delete", name, argument),
            "search": lambda name, searches: [self._search(name, search) for search in searches],
            "facet": self._facet,
            "count": self._count,
            "select": self._select,
            "ranged": self._ranged,
            "index_ranges": self._index_ranges,
            "info": self._info,
            "ids": self._ids,
            "differing": self._differing,
            "health": lambda _name, _argument: self._health(),
            "adopt": self._adopt,
            "take_over": self._take_over,
            "seal": self._seal,
            "release": self._release,
        }

    def call(self, operation: str, name: str, argument: Any) -> Any:
        self._called_at = time.monotonic()
        return self._calls[operation](name, argument)

    def close(self) -> None:
        for _, retire in self._retired:
            retire()
        for slot in self._slots.values():
            slot.close()

    def _slot(self, name: str) -> Slot | None:
        slot = self._slots.get(name)
        if slot is None:
            files = ShardFiles(self._root / name)
            if not files.exists():
                return None
            slot = self._slots[name] = Slot(Shard.open(files), self._threshold)
        return slot

    def _whole(self, name: str) -> Slot | None:
        """Raises: IndexRebuildingError for a shard that lost its points: what it holds is not what there is."""
        slot = self._slot(name)
        if slot is not None and slot.shard.lost:
            raise IndexRebuildingError
        return slot

    def _create(self, name: str, features: Any) -> None:
        if self._slot(name) is None:
            self._slots[name] = Slot(Shard.create(ShardFiles(self._root / name), features), self._threshold)

    def _drop(self, name: str, _: Any) -> None:
        slot = self._slots.pop(name, None)
        if slot is not None:
            slot.close()
            self._answers += [(request, None, True) for request in slot.waiting + slot.served]
        ShardFiles(self._root / name).remove()

    def _describe(self, name: str, _: Any) -> Any:
        slot = self._slot(name)
        return None if slot is None else slot.shard.features

    def _write(self, operation: str, name: str, argument: Any) -> None:
        slot = self._slot(name)
        if slot is None:
            if operation == "upsert":
                raise NotFoundError.of("Index shard", name)
            return
        slot.write(operation, argument)

    def _search(self, name: str, search: Mapping[str, Any]) -> Any:
        slot = self._whole(name)
        return [] if slot is None else slot.shard.search(search)

    def _facet(self, name: str, argument: Mapping[str, Any]) -> Any:
        slot = self._whole(name)
        if slot is None:
            return []
        return slot.shard.facet(argument["key"], argument["limit"], argument["filter"], argument["exact"])

    def _count(self, name: str, clause: Any) -> int:
        slot = self._whole(name)
        return 0 if slot is None else slot.shard.count(clause)

    def _select(self, name: str, argument: Any) -> list[str] | None:
        slot = self._whole(name)
        return [] if slot is None else slot.shard.select(*argument)

    def _ranged(self, name: str, paths: Sequence[str]) -> list[str]:
        slot = self._whole(name)
        return [] if slot is None else slot.shard.ranged(paths)

    def _index_ranges(self, name: str, path: str) -> bool:
        slot = self._whole(name)
        return slot is not None and slot.shard.index_ranges(path)

    def _ids(self, name: str, offset: str | None) -> tuple[list[str], str | None]:
        slot = self._slot(name)
        return ([], None) if slot is None else page_of_ids(slot.shard.generation.engine, offset)

    def _differing(self, name: str, rows: Any) -> list[str]:
        slot = self._slot(name)
        return [row[0] for row in rows] if slot is None else differing(slot.shard.generation.engine, rows)

    def _info(self, name: str, _: Any) -> dict[str, Any]:
        slot = self._slot(name)
        if slot is None:
            return {"points": 0, "indexed": 0, "building": False, "facts": {}}
        generation = slot.shard.generation
        points = generation.points
        facts = {
            "segments": generation.engine.info().segments_count,
            "indexed_fields": len(generation.keys),
            "needs_rebuild": slot.shard.lost,
            "compacting": slot.compaction is not None,
            "copied": slot.compaction.copied if slot.compaction else None,
            "dead": max(0, generation.touched - points),
            "build_phase": slot.build.phase.value if slot.build else None,
            "owner_pid": os.getpid(),
            "builder_pid": slot.build.builder_pid if slot.build else None,
        }
        indexed = max(0, points - generation.unindexed)
        return {"points": points, "indexed": indexed, "building": slot.build is not None, "facts": facts}

    def _health(self) -> dict[str, Any]:
        lost = sorted(name for name, slot in self._slots.items() if slot.shard.lost)
        building = sorted(name for name, slot in self._slots.items() if slot.build is not None)
        return {"shards_open": len(self._slots), "building": building, "needs_rebuild": lost}

    def request_build(self, name: str, request: int) -> bool:
        """Remember who waits for the graph to be up to date; False where it is already."""
        slot = self._slot(name)
        if slot is None or (slot.build is None and not slot.shard.generation.changes):
            return False
        slot.waiting.append(request)
        slot.wanted, slot.attempts, slot.not_before = True, 0, 0.0
        return True

    def has_work(self) -> bool:
        """Whether background work is ready now."""
        return any(slot.has_work() for slot in self._slots.values())

    def is_waiting(self) -> bool:
        """Whether background work will be ready some time soon."""
        return bool(self._retired) or any(slot.is_waiting() for slot in self._slots.values())

    def answers(self) -> list[Answer]:
        """What was to be told to the server since this was asked last."""
        answers, self._answers = self._answers, []
        return answers

    def background(self) -> None:
        """One small piece of work for each shard, and the index of one field in one of them."""
        self._retire()
        self._index_a_field()
        for name, slot in list(self._slots.items()):
            if slot.build is not None:
                self._go_on(name, slot, slot.build)
            elif slot.is_due:
                slot.start_build()
            elif (done := slot.go_on()) is not None:
                self._retired.append((time.monotonic() + RETIRE_SMALL_AFTER_S, done.retire))

    def _index_a_field(self) -> None:
        for slot in self._slots.values():
            if slot.build is None and slot.shard.generation.wants_an_index:
                slot.shard.generation.index_one_field()
                slot.wrote(1)
                return

    def _go_on(self, name: str, slot: Slot, build: Build) -> None:
        before = build.phase
        build.step()
        if build.phase is Phase.FAILED:
            self._failed(slot, build)
        elif build.phase is Phase.HANDOVER is not before:
            self._answers.append((EVENT, None, [name, str(build.target), str(build.work)]))

    def _adopt(self, name: str, argument: list[str]) -> None:
        self._successors[name] = Successor(ShardFiles(self._root / name), *map(Path, argument))
        self._successors[name].catch_up()

    def _take_over(self, name: str, _: Any) -> None:
        generation = self._successors.pop(name).take_over()
        slot = self._slots[name] = Slot(Shard.adopt(ShardFiles(self._root / name), generation), self._threshold)
        slot.unflushed = 1

    def _seal(self, name: str, target: str) -> None:
        """Answered after every write that came before it. Raises: StorageError where that build is no more."""
        slot = self._slots.get(name)
        build = slot.build if slot else None
        if build is None or build.phase is not Phase.HANDOVER or build.target.name != target:
            raise StorageError("the shard was dropped, or its build failed")

    def _release(self, name: str, argument: list[Any]) -> None:
        """The end of a handover: the shard is another process's now, or it stays here."""
        target, taken = argument
        slot = self._slots.get(name)
        if slot is None or slot.build is None or slot.build.target.name != target:
            return
        if not taken:
            slot.build.fail("no other process took the shard over", clear=True)
            return
        slot.build.handed_over()
        del self._slots[name]
        self._retired.append((time.monotonic() + RETIRE_AFTER_S, slot.build.retire))
        # Who asked during the build wants what was written until then: that is for the new owner to build.
        self._answers += [(request, None, True) for request in slot.served]
        self._answers += [(request, None, False) for request in slot.waiting]

    def _failed(self, slot: Slot, build: Build) -> None:
        slot.build = None
        slot.postpone()
        slot.wanted = bool(slot.served or slot.waiting)
        if slot.attempts >= BUILD_ATTEMPTS:
            error = [StorageError.__name__, build.error]
            self._answers += [(request, error, None) for request in slot.served + slot.waiting]
            slot.served, slot.waiting, slot.wanted = [], [], False

    def _retire(self) -> None:
        """Close what builds have replaced, when nobody waits."""
        now = time.monotonic()
        quiet = now - self._called_at > QUIET_S
        if self._retired and (quiet or now > self._retired[0][0]):
            self._retired.pop(0)[1]()
