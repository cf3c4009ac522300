"""The whole of Tamis, opened: services over ports, ports over backends."""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tamis.auth.gate import Gate
from tamis.auth.sessions import Sessions
from tamis.auth.tokens import Tokens
from tamis.engine.environment import Environment
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.inference import Models
from tamis.engine.ports.locks import held
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.outside import Outside
from tamis.engine.reach import Reach
from tamis.engine.running.executor import Executor
from tamis.engine.stages import STAGES
from tamis.jobs.evaluating import EvaluationWorker
from tamis.jobs.extraction import ExtractionWorker
from tamis.jobs.source_files import SourceFiles
from tamis.model.namespace import ExtractorRef
from tamis.outside.vault import Vault
from tamis.services.access.admission import Admission
from tamis.services.access.audit import AuditService
from tamis.services.access.idempotency import IdempotencyService
from tamis.services.access.organizations import OrganizationService
from tamis.services.access.secrets import SecretService
from tamis.services.access.usage import Bookkeeper
from tamis.services.access.versions import VersionService
from tamis.services.access.visitor_budgets import VisitorBudgets
from tamis.services.data.batch_following import BatchFollowing
from tamis.services.data.batches import BatchService
from tamis.services.data.blob_links import BlobLinks
from tamis.services.data.buckets import BucketService
from tamis.services.data.collections import CollectionService
from tamis.services.data.document_imports import DocumentImports
from tamis.services.data.documents import DocumentService
from tamis.services.data.files import FileKeeping, FileSweeper
from tamis.services.data.lineage import LineageService
from tamis.services.data.namespaces import NamespaceService
from tamis.services.data.objects import ObjectService
from tamis.services.data.tasks import TaskService
from tamis.services.data.triggers import TriggerService
from tamis.services.data.upload_links import UploadLinks
from tamis.services.data.uploads import UploadService
from tamis.services.inference import InferenceService
from tamis.services.learning.checks import CheckService
from tamis.services.learning.promotion import PromotionService
from tamis.services.learning.rollouts import RolloutService
from tamis.services.learning.shadowing import Shadows
from tamis.services.learning.trials import Trials
from tamis.services.learning.tuning import TuningService
from tamis.services.learning.tuning_advice import TuningAdvice
from tamis.services.records.diffs import DiffService
from tamis.services.records.execution_deletes import ExecutionDeletes
from tamis.services.records.execution_overviews import ExecutionOverviews
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.exports import ExportService
from tamis.services.records.replays import ReplayService
from tamis.services.records.retention import Sweeper
from tamis.services.records.sieves import SieveService
from tamis.services.records.sightings import SightingService
from tamis.services.records.traces import TraceService
from tamis.services.records.whynot import WhyService
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.explain import ExplainService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.learnt_weights import LearntWeights
from tamis.services.runs.nested_retrievers import NestedRetrievers
from tamis.services.runs.record_policies import RecordPolicies
from tamis.services.runs.retrievers import RetrieverService
from tamis.services.runs.stage_catalogue import StageCatalogue
from tamis.services.runs.stage_statistics import StageExperience
from tamis.services.runs.streaming import Streaming
from tamis.services.runs.turns import Turns
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.first_start import bootstrap
from tamis.services.upkeep.healing import Healer
from tamis.services.upkeep.health import HealthService
from tamis.services.upkeep.indexing import Indexer
from tamis.services.upkeep.older_figures import OlderFigures
from tamis.services.upkeep.patient_clock import PatientClock
from tamis.services.upkeep.vitals import VitalsService
from tamis.services.upkeep.webhook_deliveries import WebhookDeliveries
from tamis.settings import Settings
from tamis.storage.datadir import DataDirectory
from tamis.storage.secret import signing_secret
from tamis.telemetry.watching import Telemetry
from tamis.wiring.access import access_of
from tamis.wiring.backends import Backends, local_models, open_backends
from tamis.wiring.caches import answers_over, searcher_over
from tamis.wiring.clock import SystemClock
from tamis.wiring.company import check_company
from tamis.wiring.hosts import host_names
from tamis.wiring.learning import learning_of
from tamis.wiring.limits import tiers_of, turns_of
from tamis.wiring.prices import price_table
from tamis.wiring.publishing import publishing_of
from tamis.wiring.reach import open_reach
from tamis.wiring.search import with_stored_pictures
from tamis.wiring.secrets import secrets_of
from tamis.wiring.sharing import Shared, open_shared
from tamis.wiring.stages import add_stage_plugins
from tamis.wiring.telemetry import metrics_page, open_telemetry
from tamis.wiring.webhooks import webhooks_of


@dataclass(frozen=True, slots=True)
class RequestLimits:
    request_bytes: int
    upload_bytes: int


@dataclass(frozen=True, slots=True)
class System:
    """Tamis, open and running: services by their class, and what the edges need besides.

    first_key: the admin key in the clear, where this start made one up; shown once and kept nowhere.
    host_names: those that the server answers to.
    """

    services: dict[type[Any], Any]
    backends: Backends
    worker: ExtractionWorker
    limits: RequestLimits
    data_dir: Path
    first_key: str | None
    announce: Callable[[str], None]
    close: Callable[[], Any]
    host_names: tuple[str, ...] = ()


async def open_system(
    settings: Settings, models: Models | None = None, wrap: Callable[[Backends], Backends] = lambda backends: backends
) -> System:
    """Open the stores, catch the index up, start the worker.

    models: instead of those that the settings name (tests keep embeddings between runs).
    wrap: put something between the services and the backends (benchmarks measure there).
    Raises: DataDirectoryInUse, StorageError, IndexUnavailableError.
    """
    async with contextlib.AsyncExitStack() as stack:
        add_stage_plugins(settings)
        directory = DataDirectory(settings.data_dir)
        stack.callback(directory.close)
        backends = wrap(await open_backends(settings, directory, models or local_models(settings), stack))
        await check_company(settings, backends.locks, stack)
        extractors = [ExtractorRef(extractor.name, extractor.version) for extractor in backends.extractors.all()]
        async with held(backends.locks, "first start"):
            created = await bootstrap(backends.metadata, settings.root_key, extractors)
        indexer = Indexer(backends.metadata, backends.index, locks=backends.locks)
        stack.push_async_callback(indexer.close)
        own = signing_secret(directory.root / "upload.key")
        secret = await backends.metadata.write(lambda session: session.installation.secret(own))
        shared = await open_shared(settings, secret, stack)
        telemetry = open_telemetry(settings)
        stack.push_async_callback(telemetry.close)
        experience = _open_experience(backends, stack)
        vault = Vault(secrets_of(settings))
        reach = with_stored_pictures(open_reach(settings, stack, vault), backends.metadata, backends.blobs)
        files = await _open_files(backends, own, stack)
        worker = _worker(settings, directory, backends, indexer, reach.outside, files.keeping)
        services = _services(
            settings, backends, indexer, worker, secret, telemetry, experience, reach, files, vault, shared
        )
        await _keep_books(services, stack)
        await indexer.catch_up()
        _keep_up(services, Healer(backends.metadata, backends.index, indexer), stack)
        await worker.start()
        stack.push_async_callback(worker.stop)
        closing = stack.pop_all()
    return System(
        services=services,
        backends=backends,
        worker=worker,
        limits=RequestLimits(settings.max_request_bytes, settings.max_upload_bytes),
        data_dir=directory.root,
        first_key=created.secret if created and settings.root_key is None else None,
        announce=directory.announce,
        close=closing.aclose,
        host_names=host_names(settings),
    )


def _open_experience(backends: Backends, stack: contextlib.AsyncExitStack) -> StageExperience:
    experience = StageExperience(backends.metadata, SystemClock())
    experience.start()
    stack.push_async_callback(experience.close)
    return experience


async def _open_files(backends: Backends, own: bytes, stack: contextlib.AsyncExitStack) -> FileSweeper:
    """own: this server's secret, which tells the files that it holds from those that another does."""
    home = hashlib.sha256(own + b"files").hexdigest()[:16]
    files = FileSweeper(backends.metadata, backends.blobs, FileKeeping(backends.metadata, backends.blobs, home))
    await files.start()
    stack.push_async_callback(files.close)
    return files


def _keep_up(services: dict[type[Any], Any], healer: Healer, stack: contextlib.AsyncExitStack) -> None:
    """Start what mends, clears and evaluates in the background."""
    sweeper: Sweeper = services[Sweeper]
    clearing: Clearing = services[Clearing]
    evaluations: EvaluationWorker = services[EvaluationWorker]
    figures: OlderFigures = services[OlderFigures]
    shadows: Shadows = services[Shadows]
    webhooks: WebhookDeliveries = services[WebhookDeliveries]
    for upkeep in (healer, sweeper, clearing, evaluations, figures, shadows, webhooks):
        upkeep.start()
        stack.push_async_callback(upkeep.close)


async def _keep_books(services: dict[type[Any], Any], stack: contextlib.AsyncExitStack) -> None:
    """Open what is stored, and write what is counted to the last."""
    secrets: SecretService = services[SecretService]
    audit: AuditService = services[AuditService]
    bookkeeper: Bookkeeper = services[Bookkeeper]
    await secrets.load()
    await audit.refresh()
    bookkeeper.start()
    stack.push_async_callback(bookkeeper.close)


def _worker(
    settings: Settings, directory: DataDirectory, backends: Backends, indexer: Indexer, outside: Outside,
    keeping: FileKeeping,
) -> ExtractionWorker:  # fmt: skip
    limits = settings.file_limits.model_dump()
    files = SourceFiles(backends.blobs, backends.decoding, directory.work_path / "sources", limits, keeping, outside)
    return ExtractionWorker(
        backends.metadata, indexer, backends.extractors, backends.models, keeping, files,
        settings.extraction_threads, locks=backends.locks,
    )  # fmt: skip


def _services(
    settings: Settings, backends: Backends, indexer: Indexer, worker: ExtractionWorker, secret: bytes,
    telemetry: Telemetry, experience: StageExperience, reach: Reach, files: FileSweeper, vault: Vault,
    shared: Shared,
) -> dict[type[Any], Any]:  # fmt: skip
    metadata, clock, tiers = backends.metadata, SystemClock(), tiers_of(settings)
    gate, in_flight = Gate(metadata, Tokens(settings.client_token_max_s)), InFlight(clock)
    rates = shared.rates
    admission, budgets = Admission(rates, clock, tiers), VisitorBudgets(rates, shared.locks)
    turns = turns_of(settings, admission, metadata, clock)
    policies, sweeper = (
        RecordPolicies(metadata),
        Sweeper(metadata, PatientClock(clock), interaction_days=settings.interaction_days),
    )
    health = HealthService(metadata, backends.blobs, backends.index, backends.models, worker.is_alive, shared.trouble)
    executing = _of_executions(
        settings, backends, shared, telemetry, experience, in_flight, policies, reach, turns, budgets
    )
    executions = next(one for one in executing if isinstance(one, ExecutionService))
    clearing = Clearing(metadata, indexer, backends.blobs)

    def namespaces_changed() -> None:
        gate.forget()
        policies.forget()
        sweeper.wake()

    every: Sequence[Any] = (
        gate,
        Sessions(secret, gate, metadata),
        health,
        sweeper,
        files,
        BatchFollowing(metadata, health.is_draining, settings.stream_heartbeat_s),
        telemetry,
        OrganizationService(metadata, tiers, gate.forget),
        admission,
        *access_of(settings, metadata, clock, gate, vault),
        *webhooks_of(metadata, reach.outside, clock, backends.locks, secret),
        IdempotencyService(metadata, clock),
        VersionService(metadata),
        clearing,
        NamespaceService(metadata, clearing, backends.extractors, namespaces_changed),
        *_of_data(settings, backends, indexer, worker, secret, files, clearing),
        *executing,
        *publishing_of(settings, metadata, executions, rates, secret, clock, vault),
        *learning_of(metadata, executions, clock, backends.locks),
        metrics_page(settings, telemetry, VitalsService(metadata, health, in_flight, shared.cache)),
    )
    return {type(service): service for service in every}


def _of_data(
    settings: Settings, backends: Backends, indexer: Indexer, worker: ExtractionWorker, secret: bytes,
    files: FileSweeper, clearing: Clearing,
) -> Sequence[Any]:  # fmt: skip
    """What comes in, and what is made of it."""
    metadata, blobs = backends.metadata, backends.blobs
    objects = ObjectService(metadata, clearing, files.keeping, files.wake)
    links = UploadLinks(secret, settings.public_url)
    return (
        backends.extractors,
        BucketService(metadata, clearing),
        objects,
        UploadService(metadata, blobs, clearing, objects, links, settings.max_upload_bytes),
        BlobLinks(blobs, secret, settings.public_url, settings.blob_link_s),
        CollectionService(metadata, indexer, backends.extractors, clearing),
        DocumentService(metadata, indexer),
        DocumentImports(metadata, indexer),
        LineageService(metadata),
        BatchService(metadata, worker.wake, settings.max_queued_batches),
        TriggerService(metadata, worker.wake),
        TaskService(metadata),
        InferenceService(backends.models),
    )


def _of_executions(
    settings: Settings, backends: Backends, shared: Shared, telemetry: Telemetry,
    experience: StageExperience, in_flight: InFlight, policies: RecordPolicies, reach: Reach, turns: Turns,
    budgets: VisitorBudgets,
) -> Sequence[Any]:  # fmt: skip
    """What is asked of the data, and what is kept of the asking."""
    metadata, clock, prices = backends.metadata, SystemClock(), price_table(settings)
    planner = Planner(STAGES, most_stages=settings.max_stages)
    reach = replace(reach, learning=LearntWeights(metadata, clock))
    environment = Environment(
        searcher_over(backends, shared.cache, telemetry, reach.outside), backends.models, clock, reach
    )
    nested = NestedRetrievers(metadata, planner, Executor(environment, prices, experience))
    environment = replace(environment, reach=replace(reach, retrievers=nested))
    executor = Executor(environment, prices, experience, watch=telemetry)
    # What the shadow runs is no execution: nothing counts or learns from it.
    shadows = Shadows(metadata, Trials(planner, Executor(environment, prices)), clock)
    records = ExecutionRecords(metadata, in_flight)
    retrievers = RetrieverService(metadata, planner, clock, reach.code)
    return (
        retrievers,
        records,
        prices,
        StageCatalogue(STAGES, reach.lacks),
        PromotionService(metadata, records, retrievers, clock),
        ExecutionService(
            metadata,
            planner,
            executor,
            clock,
            in_flight,
            results_alias=settings.results_alias,
            streaming=Streaming(clock, settings.stream_heartbeat_s, settings.stream_stall_s),
            answers=answers_over(backends, executor, shared.cache, telemetry, shared.locks),
            policies=policies,
            turns=turns,
            budgets=budgets,
            shadow=shadows.offer,
        ),
        shadows,
        RolloutService(metadata, clock, shadows.let_go),
        ExplainService(metadata, backends.index, planner, prices, experience, reach.lacks),
        *_of_records(metadata, records, in_flight, clock),
        ReplayService(metadata, records, planner, executor, in_flight, turns),
        CheckService(metadata, planner, executor, turns),
        TuningService(metadata, planner, executor, turns, retrievers),
        TuningAdvice(metadata, clock),
        # What is tried out is no execution: nothing counts or learns from it.
        WhyService(metadata, records, planner, Executor(environment, prices), clock),
    )


def _of_records(
    metadata: Metadata, records: ExecutionRecords, in_flight: InFlight, clock: SystemClock
) -> Sequence[Any]:
    """What reads records, and lets them go."""
    return (
        ExecutionDeletes(metadata, in_flight, clock),
        TraceService(metadata, records),
        SieveService(metadata, records),
        ExecutionOverviews(metadata, in_flight),
        SightingService(metadata),
        DiffService(metadata, records),
        ExportService(metadata, records, in_flight),
    )
