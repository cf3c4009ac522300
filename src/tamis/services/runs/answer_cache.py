"""Runs a pipeline, or answers as it would: from a whole answer kept, from one that is being made, stage by stage."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.caching import Policy, RunCaching, digest_of, policy_of
from tamis.engine.environment import Environment
from tamis.engine.events import Sink, StageFinished, fan_out
from tamis.engine.parameters import templated
from tamis.engine.planning.plan import Plan, PlannedStage
from tamis.engine.plugins.plugins import code_version
from tamis.engine.ports.cache import Cache, CacheObserver, Layer, NoObserver
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.executor import Executor
from tamis.engine.stage_codec import NotKeepableError, decode_stages, encode_stages
from tamis.engine.templating import templates
from tamis.engine.witness import Witness
from tamis.model.canonical import sha1_of
from tamis.model.collection import Collection
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Principal
from tamis.services.runs.cache_config import DEFAULT_TTL_S, CacheConfig, read_config
from tamis.services.runs.cached_runs import Telling, tell_cached
from tamis.services.runs.execution_runs import AnswerCaching, CacheState, Job
from tamis.services.runs.flights import Flights


@dataclass(frozen=True, slots=True)
class _Landed:
    """What a run in flight came to. data: its answer as it was kept; None where nobody else may have it.

    state: a hit where another server gave the answer.
    """

    result: RunResult
    data: bytes | None
    state: CacheState = CacheState.MISS


class AnswerCache:
    """Between the service and the executor. Where no cache is asked for, it adds a look at the definition."""

    def __init__(
        self,
        executor: Executor,
        metadata: Metadata,
        cache: Cache | None = None,
        observer: CacheObserver | None = None,
        uncached: Environment | None = None,
        locks: Locks | None = None,
    ) -> None:
        """cache: None answers nothing and keeps nothing.

        uncached: the executor's environment without any cache behind it, for requests that skip them.
        locks: seen by all who share the cache; None where nobody else does.
        """
        self._executor = executor
        self._metadata = metadata
        self._cache = cache
        self._observer = observer or NoObserver()
        self._uncached = uncached
        self._locks = locks
        self._flights: Flights[_Landed] = Flights()

    async def run(
        self, job: Job, request: RunRequest, models: Mapping[str, str], sink: Sink
    ) -> tuple[RunResult, AnswerCaching | None]:
        """As `Executor.run`, and what a cache had to do with it. models: version by name."""
        config = read_config(job.plan.definition.cache_config) if job.plan.definition.cache_config else None
        if job.options.skip_cache:
            bypassed = AnswerCaching(CacheState.BYPASS, config.ttl_s) if config else None
            fresh = replace(request, environment=request.environment or self._uncached)
            return await self._executor.run(job.plan, fresh, sink), bypassed
        policies = _policies(job.plan, config) if self._cache and request.environment is None else {}
        if self._cache is None or request.environment is not None or (config is None and not policies):
            return await self._executor.run(job.plan, request, sink), None
        run = _Run(self, self._cache, job, request, sink, config or CacheConfig(ttl_s=0.0), policies, models)
        result, state = await run.go()
        return result, AnswerCaching(state, config.ttl_s) if config else None


@dataclass(slots=True)
class _Run:
    """One request on its way past the caches."""

    service: AnswerCache
    cache: Cache
    job: Job
    request: RunRequest
    sink: Sink
    config: CacheConfig
    policies: Mapping[int, Policy]
    models: Mapping[str, str]

    async def go(self) -> tuple[RunResult, CacheState]:
        """A caller who leaves gets a record that says so, whoever else goes on waiting for the same run."""
        told = Telling(self.sink)
        self.sink = told
        try:
            return await self._go()
        except asyncio.CancelledError:
            told.leave(self.job.plan, self.request, self.service._executor.clock)
            raise

    async def _go(self) -> tuple[RunResult, CacheState]:
        key = self._key()
        if key is None:
            return (await self._fly(None)).result, CacheState.BYPASS
        data = await self.cache.get(Layer.ANSWER, key)
        result = None if data is None else self._answered(data, key)
        if result is None:
            result = await self._joined(key)
        self.service._observer.looked_up(Layer.ANSWER, result is not None)
        if result is not None:
            return result, CacheState.HIT
        caching = self._caching(is_whole=True)
        if not await caching.begins_settled():
            # Something written is not searchable yet: this run's answer is nobody else's.
            return (await self._fly(None, caching)).result, CacheState.MISS
        result = await self._joined(key)
        if result is not None:
            return result, CacheState.HIT
        # All who come with the same request meanwhile wait for this one.
        landed = await self.service._flights.lead(key, self._fly_alone(key, caching))
        return landed.result, landed.state

    async def _joined(self, key: bytes) -> RunResult | None:
        """The answer of an identical request in flight; None where there is none, or it may not be shared."""
        flights = self.service._flights
        if key not in flights:
            return None
        landed = await flights.follow(key)
        return None if landed.data is None else self._answered(landed.data, key)

    async def _fly_alone(self, key: bytes, caching: RunCaching) -> _Landed:
        """As `_fly`, once among all servers: where another is at it, its answer is waited for, and taken if it may be.

        One of them at a time, or none is waited for twice: what the other could not share may be so for good.
        """
        locks = self.service._locks
        if locks is None:
            return await self._fly(key, caching)
        name = f"flight:{key.hex()}"
        hold = await locks.take(name)
        if hold is not None:
            try:
                return await self._fly(key, caching)
            finally:
                await hold.release()
        await locks.freed(name)
        data = await self.cache.get(Layer.ANSWER, key)
        result = None if data is None else self._answered(data, key)
        return await self._fly(key, caching) if result is None else _Landed(result, data, CacheState.HIT)

    async def _fly(self, key: bytes | None, caching: RunCaching | None = None) -> _Landed:
        """Run, then keep what may be kept."""
        caching = caching or self._caching(is_whole=False)
        request = replace(self.request, environment=caching.witness.environment, caching=caching)
        result = await self.service._executor.run(self.job.plan, request, self.sink)
        data = self._written(result, caching) if key is not None else None
        if data is None and not caching.has_waiting:
            return _Landed(result, None)
        if not await caching.keep():
            return _Landed(result, None)
        if key is not None and data is not None:
            await self.cache.put(Layer.ANSWER, key, data, self.config.ttl_s)
        return _Landed(result, data)

    def _written(self, result: RunResult, caching: RunCaching) -> bytes | None:
        """The answer as it is kept; None for one that another run might not give."""
        stages = [end for end in result.stages if isinstance(end, StageFinished)]
        ran_whole = result.status is ExecutionStatus.COMPLETED and len(stages) == len(self.job.plan.stages)
        if not ran_whole or not caching.is_whole or (caching.looked_at_run and self._excluded()):
            return None
        try:
            return encode_stages(stages)
        except NotKeepableError:
            return None

    def _answered(self, data: bytes, key: bytes) -> RunResult | None:
        """The answer as this request's own execution: its stages as they ran, at no cost."""
        try:
            stages = [replace(end, cache_key=key.hex()) for end in decode_stages(data)]
        except NotKeepableError:
            return None
        executor, plan = self.service._executor, self.job.plan
        told = self.sink if executor.watch is None else fan_out(self.sink, executor.watch.begin(plan, self.request))
        return tell_cached(executor.clock, plan, self.request, stages, told)

    def _caching(self, is_whole: bool) -> RunCaching:
        job, environment = self.job, self.service._executor.environment
        return RunCaching(
            cache=self.cache,
            observer=self.service._observer,
            scope=self._scope(environment),
            inputs_hash=job.inputs_hash,
            policies=self.policies,
            witness=Witness(environment, job.collections),
            is_settled=lambda: _is_settled(self.service._metadata, job.principal, job.collections),
            is_whole=is_whole,
        )

    def _key(self) -> bytes | None:
        """Of the whole answer; None where it cannot be kept."""
        plan = self.job.plan
        if self.config.ttl_s <= 0 or not all(_may_be_part(one, n, self.policies) for n, one in enumerate(plan.stages)):
            return None
        excluded = self._excluded()
        inputs = {name: value for name, value in self.job.inputs.items() if name not in excluded}
        return digest_of(self._scope(self.service._executor.environment).hex(), plan.hash, sha1_of(inputs))

    def _scope(self, environment: Environment) -> bytes:
        """What every entry of this run follows from. A retriever's own `updated_at` ends its entries when touched."""
        job = self.job
        owner = [job.retriever.retriever_id, job.retriever.updated_at] if job.retriever else []
        models = {**self.models, "lexical": environment.models.lexical().version}
        principal = job.principal
        code = code_version(one.spec.stage_id for one in job.plan.stages)
        tenant = (principal.organization_id, principal.namespace_id, repr(principal.narrowing))
        return digest_of(code, tenant, owner, models, job.collections)

    def _excluded(self) -> frozenset[str]:
        """Of the inputs that the configuration leaves out, those that no template can see."""
        excluded = self.config.excluded
        if not excluded:
            return excluded
        return excluded - _visible(self.job.plan, excluded)


def _policies(plan: Plan, config: CacheConfig | None) -> dict[int, Policy]:
    found: dict[int, Policy] = {}
    for n, planned in enumerate(plan.stages):
        is_named = config is not None and config.names(planned.spec)
        policy = policy_of(planned, is_named, config.ttl_s if config else DEFAULT_TTL_S)
        if policy is not None:
            found[n] = policy
    return found


def _may_be_part(planned: PlannedStage, index: int, policies: Mapping[int, Policy]) -> bool:
    """Whether an answer that this stage is part of may be kept; what it does outside is kept only where asked for."""
    policy = policies.get(index)
    asked = policy is not None and policy.with_effects
    refused = planned.spec.parameters.get("cache_behavior") == "disabled"
    roots = planned.roots | planned.when_roots
    return not refused and (asked or not planned.effects) and not roots & {"CONTEXT", "STAGE"}


def _visible(plan: Plan, names: frozenset[str]) -> frozenset[str]:
    """Of these inputs, those that some template may read; all of them where one takes the inputs apart by itself."""
    seen: set[str] = set()
    for planned in plan.stages:
        spec = planned.spec
        for _, template in templates.walk([templated(planned.stage.Parameters, spec.parameters), spec.options]):
            if "INPUT" in template.roots:
                seen |= {name for name in names if name in template.text or not template.inputs}
    return frozenset(seen)


async def _is_settled(metadata: Metadata, principal: Principal, collections: Sequence[Collection]) -> bool:
    """Whether each collection is still in this state, and the index has all of it. The state is read first."""

    def read(session: Session) -> bool:
        same = all(session.collections.get(principal, one.collection_id) == one for one in collections)
        return same and not any(session.index_queue.pending_for(principal, one.collection_id) for one in collections)

    return await metadata.read_now(read)
