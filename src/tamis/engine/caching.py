"""What one execution may take from a cache of stages and leave there, and by what it knows that it may.

A key is made of everything that the outcome follows from: the stage and its parameters as they run, the hits that come
in, the tenant, each collection in its very state, the models' versions and the code's. What no key can know of is seen
by a witness (`engine.witness`), and then nothing is kept.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from pydantic import BaseModel

from tamis.engine.planning.plan import PlannedStage
from tamis.engine.ports.cache import Cache, CacheObserver, Layer
from tamis.engine.stage import Outcome
from tamis.engine.stage_codec import NotKeepableError, decode_outcome, encode_outcome
from tamis.engine.tape import PlaybackTape, Tape
from tamis.engine.witness import Witness
from tamis.model.filters import Filter
from tamis.model.hits import Hits

_DIGEST_BYTES = 20
_ABOUT_CACHES = {"cache_behavior", "cache_ttl_seconds"}
_EVER_CHANGING = {"CONTEXT", "STAGE"}


@dataclass(frozen=True, slots=True)
class Policy:
    """For how long a stage's outcome is kept. with_effects: also where it reaches outside or spends."""

    ttl_s: float
    with_effects: bool = False


def policy_of(planned: PlannedStage, is_named: bool, ttl_s: float) -> Policy | None:
    """How this stage is to be cached; None where it is not. is_named: the retriever names it; ttl_s: of its caches.

    A stage's own `cache_behavior` and `cache_ttl_seconds` stand over the retriever's word.
    """
    behavior, own_ttl_s = (planned.spec.parameters.get(name) for name in ("cache_behavior", "cache_ttl_seconds"))
    has_own = isinstance(own_ttl_s, int | float)
    if behavior == "disabled" or not (is_named or has_own or behavior is not None):
        return None
    with_effects = has_own or is_named or behavior == "aggressive"
    kept_s = float(own_ttl_s) if isinstance(own_ttl_s, int | float) else ttl_s
    covered = with_effects or not planned.effects
    return Policy(kept_s, with_effects) if kept_s > 0 and covered and not _never_the_same(planned) else None


def _never_the_same(planned: PlannedStage) -> bool:
    """Its documents' templates name the execution itself: its id, its times."""
    return bool(planned.deferred and planned.roots & _EVER_CHANGING)


@dataclass(frozen=True, slots=True)
class Answered:
    """hit: None where no cache had a say.  key: hex, of the entry that answered or was made."""

    outcome: Outcome
    key: str | None = None
    hit: bool | None = None


NOT_CACHED = Answered(Outcome(Hits()))
"""What no cache had to do with."""


@dataclass(frozen=True, slots=True)
class Work:
    """One stage on one input, all its templates but the documents' own filled.

    filters: applied before and after it.  seed: the execution's.  tape: what its calls go through.
    """

    index: int
    planned: PlannedStage
    parameters: BaseModel
    filters: tuple[Filter | None, Filter | None]
    hits: Hits
    seed: int
    tape: Tape | None


@dataclass(slots=True)
class RunCaching:
    """The caches of one run.

    scope: what the whole run follows from besides its stages: tenant, collections in their state, models, code.
    inputs_hash: the execution's.
    policies: by stage index.  is_settled: whether the index holds exactly what the collections' state says.
    is_whole: whether the run's answer as a whole may be kept.  looked_at_run: a stage asked for the seed or the inputs.
    """

    cache: Cache
    observer: CacheObserver
    scope: bytes
    inputs_hash: str
    policies: Mapping[int, Policy]
    witness: Witness
    is_settled: Callable[[], Awaitable[bool]]
    is_whole: bool = False
    looked_at_run: bool = False
    _began_settled: bool | None = None
    _waiting: list[tuple[bytes, bytes, float]] = field(default_factory=list)

    async def begins_settled(self) -> bool:
        """Asked before the first stage whose outcome may be kept; the answer stands for the run."""
        if self._began_settled is None:
            self._began_settled = await self.is_settled()
        return self._began_settled

    async def answer(self, work: Work, run: Callable[[], Awaitable[Outcome]]) -> Answered:
        """From the cache, or by the run, whose outcome then waits for `keep`."""
        if isinstance(work.tape, PlaybackTape):
            # There the stage's own code is what is asked for.
            return Answered(await run())
        policy = self.policies.get(work.index)
        material = None if policy is None else _material(self.scope, work)
        if policy is None or material is None:
            return await self._watched(work, run)
        alone = _digest(material)
        by_run = _digest(material + f"{self.inputs_hash}:{work.seed}".encode())
        for key in (alone, by_run):
            found = await self._find(key, work.tape)
            if found is not None:
                self.observer.looked_up(Layer.STAGE, True)
                self.looked_at_run |= key is by_run
                return Answered(found, key.hex(), True)
        self.observer.looked_up(Layer.STAGE, False)
        await self.begins_settled()
        answered = await self._watched(work, run)
        if answered.hit is None:
            return answered
        key = by_run if self.witness.looked_at_run or work.planned.deferred else alone
        self._remember(key, answered.outcome, work.tape, policy.ttl_s)
        return Answered(answered.outcome, key.hex(), False)

    async def keep(self) -> bool:
        """After the run: put down what it made, if nothing was written meanwhile; whether that was so."""
        if not await self.begins_settled() or not await self.is_settled():
            return False
        for key, data, ttl_s in self._waiting:
            await self.cache.put(Layer.STAGE, key, data, ttl_s)
        return True

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    async def _watched(self, work: Work, run: Callable[[], Awaitable[Outcome]]) -> Answered:
        """A stage that strayed could not be cached, nor can the answer that it is a part of."""
        self.witness.begin()
        outcome = await run()
        witness = self.witness
        self.looked_at_run |= witness.looked_at_run or bool(work.planned.deferred)
        if witness.strayed:
            self.is_whole = False
        may = not witness.strayed and (work.index in self.policies or self.is_whole)
        return Answered(outcome, hit=False if may else None)

    async def _find(self, key: bytes, tape: Tape | None) -> Outcome | None:
        """The outcome as it was kept. Its calls go onto the tape, so that the record of a cached stage replays too."""
        data = await self.cache.get(Layer.STAGE, key)
        try:
            outcome, calls = (None, None) if data is None else decode_outcome(data)
        except NotKeepableError:
            return None
        if outcome is None or tape is None:
            return outcome
        if calls is None:
            return None
        tape.calls.extend(calls)
        return outcome

    def _remember(self, key: bytes, outcome: Outcome, tape: Tape | None, ttl_s: float) -> None:
        calls = None if tape is None else [call.recorded() for call in tape.calls]
        try:
            self._waiting.append((key, encode_outcome(outcome, calls), ttl_s))
        except NotKeepableError:
            return


def _material(scope: bytes, work: Work) -> bytes | None:
    """Everything that the outcome follows from, but the execution's own inputs and seed; None where it has no text.

    The hits that come in are taken whole, documents and all: no stage before has to be deterministic for this.
    """
    spec = work.planned.spec
    parameters = work.parameters.model_dump(mode="json", exclude=_ABOUT_CACHES)
    try:
        return scope + orjson.dumps(
            [work.index, spec.stage_id, spec.stage_name, parameters, [repr(one) for one in work.filters],
             sorted(work.planned.deferred), work.hits.items],
            option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY,
        )  # fmt: skip
    except TypeError:
        return None


def _digest(material: bytes) -> bytes:
    return blake2b(material, digest_size=_DIGEST_BYTES).digest()


def digest_of(*parts: Any) -> bytes:
    """A key made of JSON values and frozen dataclasses. Raises: TypeError for what has no JSON form."""
    return _digest(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
