"""An open shard of an index process with its build and its compaction, and when either is due."""

import logging
import time
from typing import Any

from tamis.storage.index.build import Build, Phase
from tamis.storage.index.compaction import Compaction
from tamis.storage.index.shard import Shard
from tamis.storage.space import is_out_of_space

FLUSH_AFTER_IDLE_S = 1.0
FLUSH_AFTER_POINTS = 50_000
RETRY_S = 2.0
DEAD_SHARE_OF_THRESHOLD = 5
"""A fifth of what starts a build, 4,000 by default, is 5 MB: fewer dead points are not worth a copy of the others."""

_log = logging.getLogger(__name__)


class Slot:
    """threshold: how many points outside the graph start a build.

    waiting: requests for a build that has still to start.  served: requests that the build under way will answer.
    """

    def __init__(self, shard: Shard, threshold: int) -> None:
        self.shard = shard
        self.build: Build | None = None
        self.compaction: Compaction | None = None
        self.waiting: list[int] = []
        self.served: list[int] = []
        self.wanted = False
        self.attempts = 0
        self.not_before = 0.0
        self.unflushed = 0
        self.written_at = 0.0
        self._threshold = threshold
        self._looked_at = -1.0

    def write(self, operation: str, argument: Any) -> None:
        self.shard.generation.apply(operation, argument)
        if self.build is not None:
            self.build.record(operation, argument)
        if self.compaction is not None:
            self._write_to_both(self.compaction, operation, argument)
        self.wrote(len(argument))

    def _write_to_both(self, compaction: Compaction, operation: str, argument: Any) -> None:
        """The shard has the write already, whatever becomes of the copy."""
        try:
            compaction.apply(operation, argument)
        except Exception:
            self._give_up()

    def wrote(self, points: int) -> None:
        self.unflushed += points
        self.written_at = time.monotonic()

    def close(self) -> None:
        if self.build is not None:
            self.build.abandon()
        self._leave_compaction()
        self.shard.close()

    @property
    def is_due(self) -> bool:
        """Whether a build is to begin."""
        generation = self.shard.generation
        if time.monotonic() < self.not_before:
            return False
        return self.wanted or generation.changes >= max(self._threshold, generation.built // 4)

    @property
    def is_worn(self) -> bool:
        """Whether half of what a shard without a graph holds is dead. One with a graph must have lost half its points
        as well, and be too small for another."""
        generation = self.shard.generation
        least = self._threshold // DEAD_SHARE_OF_THRESHOLD
        # Counting takes 12 us and more: once after each write, not with each search.
        if generation.touched < least or self._looked_at == self.written_at or time.monotonic() < self.not_before:
            return False
        points = generation.points
        is_small = points < self._threshold and (not generation.built or 2 * points <= generation.built)
        if is_small and generation.touched - points >= max(least, points):
            return True
        self._looked_at = self.written_at
        return False

    def has_work(self) -> bool:
        """Whether background work is ready now."""
        if self.build is not None:
            return self.build.phase not in (Phase.BUILD, Phase.HANDOVER)
        if self.compaction is not None:
            return not self.compaction.waits
        return self.is_due or self.is_worn or self.shard.generation.wants_an_index

    def is_waiting(self) -> bool:
        """Whether background work will be ready some time soon."""
        return bool(self.build or self.compaction or self.unflushed or self.wanted)

    def start_build(self) -> None:
        self._leave_compaction()
        self.wanted = False
        self.served, self.waiting = self.served + self.waiting, []
        self.build = Build(self.shard)

    def go_on(self) -> Compaction | None:
        """Without a build: a piece of a compaction, or what was written goes to the disk. A compaction that ended."""
        if self.compaction is None and self.is_worn:
            self.compaction = Compaction(self.shard)
        if self.compaction is None:
            self._flush()
            return None
        return self._compact(self.compaction)

    def _compact(self, compaction: Compaction) -> Compaction | None:
        try:
            compaction.step()
        except Exception:
            self._give_up()
            return None
        if not compaction.is_done:
            return None
        self.compaction, self.attempts = None, 0
        self.wrote(compaction.copied)
        return compaction

    def postpone(self) -> None:
        """What has failed is tried again later, each time after twice as long."""
        self.attempts += 1
        self.not_before = time.monotonic() + RETRY_S * 2 ** min(self.attempts - 1, 8)

    def _give_up(self) -> None:
        _log.exception("a compaction failed")
        self._leave_compaction()
        self.postpone()

    def _leave_compaction(self) -> None:
        if self.compaction is not None:
            self.compaction.abandon()
            self.compaction = None

    def _flush(self) -> None:
        """Bound what a start has to replay. After a burst of writes, for a flush stops the process for milliseconds."""
        now = time.monotonic()
        idle = now - self.written_at > FLUSH_AFTER_IDLE_S
        if now < self.not_before or not (self.unflushed >= FLUSH_AFTER_POINTS or (self.unflushed and idle)):
            return
        try:
            self.shard.generation.engine.flush()
        except Exception as error:
            if not is_out_of_space(error):
                raise
            _log.warning("what was written waits in the engine's log: there is no space to put it in its place")
            self.postpone()
        else:
            self.unflushed = self.attempts = 0
