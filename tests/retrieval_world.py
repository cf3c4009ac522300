"""The shop of the stages' tests behind the retrieval services: real stores, real stages, and a few odd ones."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
from fastapi import FastAPI

from tamis.api import (
    analytics,
    checks,
    datasets,
    diffs,
    evaluations,
    execution_deletes,
    execution_records,
    executions,
    exports,
    interactions,
    promotion,
    replays,
    retrievers,
    rollouts,
    stages,
    traces,
    tuning,
    why,
)
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.engine.environment import Environment
from tamis.engine.planning.definition import parse_stages
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.telemetry import Watch
from tamis.engine.reach import NOWHERE, Reach
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stage import Context, Outcome, Stage, StageKind
from tamis.engine.stages import STAGES
from tamis.engine.stages.limit import Limit
from tamis.jobs.evaluating import EvaluationWorker
from tamis.jobs.tuning import TuningWorker
from tamis.model.client_token import verification_key
from tamis.model.hits import Hits
from tamis.model.namespace import Namespace
from tamis.model.organization import ApiKey, Organization, User
from tamis.model.principal import Permission
from tamis.model.retriever import StageSpec
from tamis.model.secret import hash_key
from tamis.services.access.credits import CreditService
from tamis.services.learning.checks import CheckService
from tamis.services.learning.click_judgements import ClickJudgements
from tamis.services.learning.datasets import DatasetService
from tamis.services.learning.evaluations import EvaluationService
from tamis.services.learning.interactions import InteractionService
from tamis.services.learning.learnt_fusions import LearntFusions
from tamis.services.learning.model_judgements import ModelJudgements
from tamis.services.learning.promotion import PromotionService
from tamis.services.learning.rollouts import RolloutService
from tamis.services.learning.shadowing import Shadows
from tamis.services.learning.trials import Trials
from tamis.services.learning.tuning import TuningService
from tamis.services.learning.tuning_advice import TuningAdvice
from tamis.services.learning.tuning_runs import TuningRuns
from tamis.services.records.analytics import AnalyticsService
from tamis.services.records.diffs import DiffService
from tamis.services.records.execution_deletes import ExecutionDeletes
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.exports import ExportService
from tamis.services.records.replays import ReplayService
from tamis.services.records.traces import TraceService
from tamis.services.records.whynot import WhyService
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.learnt_weights import LearntWeights
from tamis.services.runs.nested_retrievers import NestedRetrievers
from tamis.services.runs.retrievers import RetrieverService
from tamis.services.runs.snapshots import SnapshotStore
from tamis.services.runs.stage_catalogue import StageCatalogue
from tamis.services.runs.turns import Turns
from tests.blank import open_blank
from tests.engine.stages.shop import NOW, PRINCIPAL, URI, Shop, filled

KEY = "sk_0123456789abcdef0123456789abcdef01234567"
HEADERS = {"Authorization": f"Bearer {KEY}", "X-Namespace": "ns_1"}


class Break(Limit):
    """Fails as a bug does."""

    id: ClassVar[str] = "break"
    kind: ClassVar[StageKind] = StageKind.APPLY

    async def run(self, hits: Hits, context: Context) -> Outcome:
        raise ZeroDivisionError("division by zero")


class Wait(Limit):
    """Comes back when `go` is set; `reached` tells that it was begun."""

    id: ClassVar[str] = "wait"
    kind: ClassVar[StageKind] = StageKind.APPLY
    reached: ClassVar[asyncio.Event]
    go: ClassVar[asyncio.Event]

    async def run(self, hits: Hits, context: Context) -> Outcome:
        self.reached.set()
        await self.go.wait()
        return Outcome(hits)


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ms(self) -> float:
        return time.perf_counter() * 1000


_ROUTERS = (
    stages.router,
    executions.router,
    execution_records.router,
    execution_deletes.router,
    traces.router,
    diffs.router,
    exports.router,
    replays.router,
    why.router,
    promotion.router,
    datasets.router,
    evaluations.router,
    interactions.router,
    checks.router,
    tuning.router,
    analytics.router,
    rollouts.router,
    retrievers.router,
)

PRICES = PriceTable({"feature_search": Price(per_run=0.5), "llm_filter": Price(per_call=0.25)})
REGISTRY: Mapping[str, type[Stage]] = {**STAGES, "break": Break, "wait": Wait}


@dataclass
class World:
    shop: Shop
    retrievers: RetrieverService
    executions: ExecutionService
    records: ExecutionRecords
    snapshots: SnapshotStore
    in_flight: InFlight
    replays: ReplayService
    why: WhyService
    evaluating: EvaluationWorker
    checks: CheckService
    shadows: Shadows
    tuning: TuningService
    tuner: TuningWorker
    reach: Reach = NOWHERE

    def restarted(self, registry: Mapping[str, type[Stage]] | None = None) -> "World":
        """As after a restart: nothing is left but what was stored. registry: another version's stages."""
        return _world(self.shop, registry=registry)

    @property
    def app(self) -> FastAPI:
        api = FastAPI()
        api.state.services = {
            Gate: Gate(self.shop.metadata),
            RetrieverService: self.retrievers,
            ExecutionService: self.executions,
            StageCatalogue: StageCatalogue(STAGES, self.reach.lacks),
            ExecutionRecords: self.records,
            ExecutionDeletes: ExecutionDeletes(self.shop.metadata, self.in_flight, WallClock(), chunk=2),
            TraceService: TraceService(self.shop.metadata, self.records),
            DiffService: DiffService(self.shop.metadata, self.records),
            ExportService: ExportService(self.shop.metadata, self.records, self.in_flight),
            ReplayService: self.replays,
            WhyService: self.why,
            CheckService: self.checks,
            RolloutService: RolloutService(self.shop.metadata, WallClock(), self.shadows.let_go),
            TuningRuns: TuningRuns(self.shop.metadata, self.tuning, WallClock(), self.tuner.wake),
            LearntFusions: LearntFusions(self.shop.metadata, WallClock()),
            TuningAdvice: TuningAdvice(self.shop.metadata, WallClock()),
            AnalyticsService: AnalyticsService(self.shop.metadata, WallClock()),
            CreditService: CreditService(self.shop.metadata, WallClock(), 0.001),
            PromotionService: PromotionService(self.shop.metadata, self.records, self.retrievers, WallClock()),
            DatasetService: DatasetService(self.shop.metadata, WallClock()),
            ModelJudgements: ModelJudgements(
                self.shop.metadata, self.reach.language, PRICES.of("llm_filter"), Turns(), WallClock()
            ),
            InteractionService: InteractionService(self.shop.metadata, WallClock()),
            ClickJudgements: ClickJudgements(self.shop.metadata, WallClock()),
            EvaluationService: EvaluationService(self.shop.metadata, WallClock(), self.evaluating.wake),
        }
        add_error_handlers(api)
        for router in _ROUTERS:
            api.include_router(router)
        return api

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://tamis", headers=HEADERS)


@asynccontextmanager
async def opened(path: Path, watch: Watch | None = None, reach: Reach = NOWHERE) -> AsyncIterator[World]:
    metadata = await open_blank(path / "metadata.db")
    try:
        shop = await filled(metadata)
        await _register_key(shop)
        Wait.reached, Wait.go = asyncio.Event(), asyncio.Event()
        yield _world(shop, watch, reach=reach)
    finally:
        await metadata.close()


def _world(
    shop: Shop,
    watch: Watch | None = None,
    registry: Mapping[str, type[Stage]] | None = None,
    reach: Reach = NOWHERE,
) -> World:
    clock = WallClock()
    planner, in_flight, snapshots = Planner(registry or REGISTRY), InFlight(clock), SnapshotStore()
    records = ExecutionRecords(shop.metadata, in_flight)
    reach = replace(reach, learning=LearntWeights(shop.metadata, clock))
    environment = Environment(shop.searcher, shop.models, clock, reach)
    nested = NestedRetrievers(shop.metadata, planner, Executor(environment))
    executor = Executor(replace(environment, reach=replace(reach, retrievers=nested)), watch=watch)
    shadows = Shadows(shop.metadata, Trials(planner, Executor(environment, PRICES)), clock, rest=0)
    executions = ExecutionService(shop.metadata, planner, executor, clock, in_flight, snapshots, shadow=shadows.offer)
    retrievers = RetrieverService(shop.metadata, planner, clock, reach.code)
    tuning = TuningService(shop.metadata, planner, executor, Turns())
    return World(
        shop=shop,
        retrievers=retrievers,
        executions=executions,
        records=records,
        snapshots=snapshots,
        in_flight=in_flight,
        replays=ReplayService(shop.metadata, records, planner, executor, in_flight),
        why=WhyService(shop.metadata, records, planner, executor, clock),
        evaluating=EvaluationWorker(shop.metadata, executions, clock),
        shadows=shadows,
        checks=CheckService(shop.metadata, planner, executor, Turns()),
        tuning=tuning,
        tuner=TuningWorker(shop.metadata, tuning, retrievers, clock),
        reach=reach,
    )


async def _register_key(shop: Shop) -> None:
    organization = Organization("org_1", "Shop", NOW, NOW)
    user = User("usr_1", "org_1", "keeper@example.com", NOW)
    key = ApiKey(
        "key_1", "org_1", "usr_1", "keeper", hash_key(KEY), "sk_0123", (Permission.ADMIN,), NOW,
        token_key=verification_key(KEY),
    )  # fmt: skip
    await shop.metadata.write(lambda session: session.organizations.insert(organization, user))
    await shop.metadata.write(lambda session: session.keys.insert(PRINCIPAL, key))
    await shop.metadata.write(lambda session: session.namespaces.insert(PRINCIPAL, Namespace("ns_1", "shop", NOW, NOW)))


def search(query: Any = "running shoes", **more: Any) -> dict[str, Any]:
    return {
        "stage_name": "search",
        "config": {
            "stage_id": "feature_search",
            "parameters": {"searches": [{"feature_uri": URI, "query": query, "top_k": 100}], **more},
        },
    }


def stage(stage_id: str, **parameters: Any) -> dict[str, Any]:
    return {"stage_name": stage_id, "config": {"stage_id": stage_id, "parameters": parameters}}


def specs(*raw: dict[str, Any]) -> tuple[StageSpec, ...]:
    return parse_stages(raw)
