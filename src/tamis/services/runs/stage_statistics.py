"""What stages did so far: gathered in memory as they end, kept on disk every few seconds, asked for before they run."""

import asyncio
import contextlib
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from math import fsum
from typing import TypeAlias

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import TamisError
from tamis.model.principal import Principal
from tamis.model.stage_means import Means

log = logging.getLogger("tamis.statistics")

_EVERY_S = 5.0
_MOST_WAITING = 10_000
"""Runs that are held before they are made means of, were the disk to be slow."""
_MOST_KNOWN = 4096
_MOST_KEPT = 2000
"""Stages of one namespace that are remembered on disk: those that ran last."""

Key: TypeAlias = tuple[str, str, str]


def of_every(stage_id: str) -> str:
    """The fingerprint under which all stages of one kind are counted together: how long one takes that is new."""
    return f"every {stage_id}"


class StageExperience:
    """The `Experience` of a running server. Bounded in memory and on disk; losing some of it costs only precision."""

    def __init__(self, metadata: Metadata, clock: Clock, every_s: float = _EVERY_S) -> None:
        self._metadata = metadata
        self._clock = clock
        self._every_s = every_s
        self._runs: list[tuple[Key, str, Means]] = []
        self._waiting: dict[Key, Means] = {}
        self._known: OrderedDict[Key, Means] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    def learn(self, principal: Principal, fingerprint: str, stage_id: str, run: Means) -> None:
        """One more run of a stage. It is on the path of every execution: what is made of it is made later."""
        self._runs.append(((principal.organization_id, principal.namespace_id, fingerprint), stage_id, run))
        if len(self._runs) >= _MOST_WAITING:
            self._fold()

    def known(self, principal: Principal, fingerprint: str) -> Means | None:
        """What is in memory; `recall` brings it there."""
        key = (principal.organization_id, principal.namespace_id, fingerprint)
        before, latest = self._known.get(key), self._waiting.get(key)
        if before is None or latest is None:
            return before or latest
        return before.then(latest)

    async def recall(self, principal: Principal, fingerprints: Sequence[str]) -> Mapping[str, Means]:
        """What is known of these, the runs that ended this moment included. Cost: a look-up by key for new ones."""
        self._fold()
        scope = (principal.organization_id, principal.namespace_id)
        missing = [one for one in dict.fromkeys(fingerprints) if (*scope, one) not in self._known]
        if missing:
            found = await self._metadata.read_now(lambda session: session.stage_statistics.find(principal, missing))
            for fingerprint in missing:
                self._know((*scope, fingerprint), found.get(fingerprint, Means()))
        known = {one: self.known(principal, one) for one in fingerprints}
        return {one: means for one, means in known.items() if means is not None and means.runs}

    async def flush(self) -> None:
        """Bring to disk what has gathered, each namespace in one transaction."""
        async with self._flushing:
            await self._flush()

    async def _flush(self) -> None:
        self._fold()
        waiting, self._waiting = self._waiting, {}
        spaces: dict[tuple[str, str], dict[str, Means]] = defaultdict(dict)
        for (organization_id, namespace_id, fingerprint), means in waiting.items():
            spaces[organization_id, namespace_id][fingerprint] = means
        for scope, latest in spaces.items():
            try:
                merged = await self._kept(Principal(*scope), latest)
            except TamisError as error:
                log.warning("what stages did could not be kept: %s", error.message)
                for fingerprint, means in latest.items():
                    self._wait((*scope, fingerprint), means)
            else:
                for fingerprint, means in merged.items():
                    self._know((*scope, fingerprint), means)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """What has gathered is on disk when this returns."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await asyncio.shield(self.flush())
            except Exception:
                log.exception("what stages did could not be kept; the next runs are")

    async def _kept(self, principal: Principal, latest: Mapping[str, Means]) -> Mapping[str, Means]:
        """Over what is on disk by now: other servers add to it too."""
        at = self._clock.now()

        def merge(session: Session) -> Mapping[str, Means]:
            if session.namespaces.get(principal, principal.namespace_id) is None:
                return {}  # it was deleted meanwhile
            before = session.stage_statistics.find(principal, list(latest))
            merged = {one: before.get(one, Means()).then(means) for one, means in latest.items()}
            session.stage_statistics.put(principal, merged, at)
            session.stage_statistics.trim(principal, _MOST_KEPT)
            return merged

        return await self._metadata.write(merge)

    def _fold(self) -> None:
        runs, self._runs = self._runs, []
        gathered: dict[tuple[Key, str], list[Means]] = defaultdict(list)
        for key, stage_id, run in runs:
            gathered[key, stage_id].append(run)
        for (key, stage_id), alike in gathered.items():
            # `runs` of each is 1: the means of the columns are the means of the runs.
            means = Means(len(alike), *(fsum(column) / len(alike) for column in list(zip(*alike, strict=True))[1:]))
            self._wait(key, means)
            self._wait((*key[:2], of_every(stage_id)), means)

    def _wait(self, key: Key, latest: Means) -> None:
        before = self._waiting.pop(key, None)
        self._waiting[key] = latest if before is None else before.then(latest)
        if len(self._waiting) > _MOST_KNOWN:
            del self._waiting[next(iter(self._waiting))]

    def _know(self, key: Key, means: Means) -> None:
        self._known[key] = means
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
