"""The whole of Tamis, opened: services over ports, ports over backends."""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

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
from tamis.jobs.agent_answers import AgentAnswers
from tamis.jobs.alerting import AlertWalker
from tamis.jobs.bucket_syncing import BucketSyncWorker
from tamis.jobs.cluster_enriching import ClusterEnrichment
from tamis.jobs.clustering import ClusteringWorker
from tamis.jobs.evaluating import EvaluationWorker
from tamis.jobs.extraction import ExtractionWorker
from tamis.jobs.labelling import TaxonomyWalker
from tamis.jobs.migrating import MigrationWorker
from tamis.jobs.restoring import RestoreWorker
from tamis.jobs.snapshotting import SnapshotWorker
from tamis.jobs.source_files import SourceFiles
from tamis.jobs.triggering import Triggering
from tamis.jobs.tuning import TuningWorker
from tamis.jobs.walking import Walker, WalkWorker
from tamis.model.namespace import ExtractorRef
from tamis.outside.vault import Vault
from tamis.services.access.admission import Admission
from tamis.services.access.audit import AuditService
from tamis.services.access.keys import Created
from tamis.services.access.secrets import SecretService
from tamis.services.access.storage_connections import StorageConnectionService
from tamis.services.access.usage import Bookkeeper
from tamis.services.access.visitor_budgets import VisitorBudgets
from tamis.services.data.alert_applications import WATCH
from tamis.services.data.alerts import AlertService
from tamis.services.data.applications import APPLICATION
from tamis.services.data.batch_following import BatchFollowing
from tamis.services.data.batches import BatchService
from tamis.services.data.blob_links import BlobLinks
from tamis.services.data.buckets import BucketService
from tamis.services.data.collection_runs import CollectionRunService
from tamis.services.data.collections import CollectionService
from tamis.services.data.document_exports import DocumentExports
from tamis.services.data.document_imports import DocumentImports
from tamis.services.data.documents import DocumentService
from tamis.services.data.event_following import EventFollowing
from tamis.services.data.files import FileKeeping, FileSweeper
from tamis.services.data.lineage import LineageService
from tamis.services.data.namespaces import NamespaceService
from tamis.services.data.objects import ObjectService
from tamis.services.data.resource_search import ResourceSearch
from tamis.services.data.schema_sync import SchemaSyncService
from tamis.services.data.snapshots import SnapshotService
from tamis.services.data.tasks import TaskService
from tamis.services.data.taxonomies import StoredTaxonomies
from tamis.services.data.upload_links import UploadLinks
from tamis.services.data.uploads import UploadService
from tamis.services.inference import InferenceService
from tamis.services.learning.checks import CheckService
from tamis.services.learning.cluster_enrichments import KIND as ENRICHMENT
from tamis.services.learning.model_judgements import ModelJudgements
from tamis.services.learning.promotion import PromotionService
from tamis.services.learning.rollouts import RolloutService
from tamis.services.learning.shadowing import Shadows
from tamis.services.learning.trials import Trials
from tamis.services.learning.tuning import TuningService
from tamis.services.learning.tuning_advice import TuningAdvice
from tamis.services.manifests.templates import TemplateService
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
from tamis.services.runs.labelling import Labelling
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
from tamis.services.upkeep.whole_index import WholeIndex
from tamis.settings import Settings
from tamis.storage.datadir import DataDirectory
from tamis.storage.secret import signing_secret
from tamis.telemetry.watching import Telemetry
from tamis.wiring.access import access_of
from tamis.wiring.agents import agents_of
from tamis.wiring.backends import Backends, local_models, open_backends
from tamis.wiring.benches import caller_of
from tamis.wiring.caches import answers_over, searcher_over
from tamis.wiring.clock import SystemClock
from tamis.wiring.clusters import clusters_of
from tamis.wiring.company import check_company
from tamis.wiring.connections import open_connections, syncs_of
from tamis.wiring.hosts import host_names
from tamis.wiring.learning import learning_of, tuning_of
from tamis.wiring.limits import tiers_of, turns_of
from tamis.wiring.manifests import generation_of, manifests_of, templates_of
from tamis.wiring.migrations import migrations_of
from tamis.wiring.prices import price_table
from tamis.wiring.publishing import publishing_of
from tamis.wiring.reach import open_reach
from tamis.wiring.search import with_stored_pictures
from tamis.wiring.secrets import secrets_of
from tamis.wiring.sharing import Shared, open_shared
from tamis.wiring.snapshots import snapshots_of
from tamis.wiring.stages import add_stage_plugins
from tamis.wiring.taxonomies import taxonomies_of
from tamis.wiring.telemetry import metrics_page, open_telemetry
from tamis.wiring.webhooks import webhooks_of

S = TypeVar("S")


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
        created = await _first_start(settings, backends)
        indexer = Indexer(backends.metadata, backends.index, locks=backends.locks)
        stack.push_async_callback(indexer.close)
        backends, healer = _healing(backends, indexer)
        own = signing_secret(directory.root / "upload.key")
        secret = await backends.metadata.write(lambda session: session.installation.secret(own))
        shared = await open_shared(settings, secret, stack)
        telemetry = _open_telemetry(settings, stack)
        experience = _open_experience(backends, stack)
        vault = Vault(secrets_of(settings))
        reach = with_stored_pictures(open_reach(settings, stack, vault), backends.metadata, backends.blobs)
        files = await _open_files(backends, own, stack)
        worker = _worker(settings, directory, backends, indexer, reach.outside, files.keeping)
        services = _services(
            settings, backends, indexer, worker, secret, telemetry, experience, reach, files, vault, shared,
            directory.work_path, await open_connections(settings, directory.root, backends.metadata, stack),
        )  # fmt: skip
        await _keep_books(services, stack)
        await healer.expect()
        await indexer.catch_up()
        _keep_up(services, healer, stack)
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


async def _first_start(settings: Settings, backends: Backends) -> Created | None:
    """The key that it made; None where there was one before."""
    extractors = [ExtractorRef(extractor.name, extractor.version) for extractor in backends.extractors.all()]
    async with held(backends.locks, "first start"):
        return await bootstrap(backends.metadata, settings.root_key, extractors)


def _healing(backends: Backends, indexer: Indexer) -> tuple[Backends, Healer]:
    """The backends for who reads: an index that does not answer for what it lost. Who writes and mends has it bare."""
    healer = Healer(backends.metadata, backends.index, indexer)
    return replace(backends, index=WholeIndex(backends.index, healer)), healer


def _open_telemetry(settings: Settings, stack: contextlib.AsyncExitStack) -> Telemetry:
    telemetry = open_telemetry(settings)
    stack.push_async_callback(telemetry.close)
    return telemetry


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
    walks: WalkWorker = services[WalkWorker]
    clusters: ClusteringWorker = services[ClusteringWorker]
    triggers: Triggering = services[Triggering]
    tunings: TuningWorker = services[TuningWorker]
    syncs: BucketSyncWorker = services[BucketSyncWorker]
    migrations: MigrationWorker = services[MigrationWorker]
    copying: tuple[Any, ...] = (migrations, services[SnapshotWorker], services[RestoreWorker])
    working = (evaluations, tunings, walks, clusters, triggers, *copying, services[AgentAnswers], syncs)
    for upkeep in (healer, sweeper, clearing, *working, figures, shadows, webhooks):
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
        settings.extraction_threads, locks=backends.locks, caller=caller_of(settings),
    )  # fmt: skip


def _services(
    settings: Settings, backends: Backends, indexer: Indexer, worker: ExtractionWorker, secret: bytes,
    telemetry: Telemetry, experience: StageExperience, reach: Reach, files: FileSweeper, vault: Vault,
    shared: Shared, work_path: Path, connections: StorageConnectionService,
) -> dict[type[Any], Any]:  # fmt: skip
    metadata, clock, tiers, rates = backends.metadata, SystemClock(), tiers_of(settings), shared.rates
    gate, in_flight = Gate(metadata, Tokens(settings.client_token_max_s)), InFlight(clock)
    admission, budgets = Admission(rates, clock, tiers), VisitorBudgets(rates, shared.locks)
    turns = turns_of(settings, admission, metadata, clock)
    policies, clearing = RecordPolicies(metadata), Clearing(metadata, indexer, backends.blobs)
    sweeper = Sweeper(metadata, PatientClock(clock), interaction_days=settings.interaction_days)
    health = HealthService(metadata, backends.blobs, backends.index, backends.models, worker.trouble, shared.trouble)
    executing = _of_executions(
        settings, backends, shared, telemetry, experience, in_flight, policies, reach, turns, budgets
    )
    executions = _one(ExecutionService, executing)
    namespaces_changed = partial(_look_anew, gate, policies, sweeper)
    every: Sequence[Any] = (
        gate,
        Sessions(secret, gate, metadata),
        health,
        sweeper,
        files,
        BatchFollowing(metadata, health.is_draining, settings.stream_heartbeat_s),
        EventFollowing(metadata, health.is_draining, settings.stream_heartbeat_s),
        telemetry,
        admission,
        *access_of(settings, metadata, clock, gate, vault),
        connections,
        *webhooks_of(metadata, reach.outside, clock, backends.locks, secret),
        clearing,
        NamespaceService(metadata, clearing, backends.extractors, namespaces_changed),
        *(data := _of_data(settings, backends, indexer, worker, secret, files, clearing, work_path)),
        *syncs_of(settings, backends, connections, _one(ObjectService, data), indexer, work_path, worker.wake),
        *_of_walks(backends, indexer, clock, reach, executing, work_path / "clusters", worker.wake),
        *executing,
        *_of_moves(settings, backends, indexer, clearing, files.keeping, work_path, worker.wake, namespaces_changed),
        *publishing_of(settings, metadata, executions, rates, secret, clock, vault),
        *_of_manifests(
            settings, backends, indexer, clearing, reach, vault, namespaces_changed, admission, executing, turns
        ),
        *learning_of(metadata, backends.index, executions, clock, backends.locks),
        *agents_of(settings, backends, executions, indexer, reach.language, turns, rates, clock),
        metrics_page(settings, telemetry, VitalsService(metadata, health, in_flight, shared.cache)),
    )
    services = {type(service): service for service in every}
    return services | {TemplateService: templates_of(metadata, services)}


def _look_anew(gate: Gate, policies: RecordPolicies, sweeper: Sweeper) -> None:
    """Namespaces have changed."""
    gate.forget()
    policies.forget()
    sweeper.wake()


def _one(kind: type[S], services: Sequence[Any]) -> S:
    return next(one for one in services if isinstance(one, kind))


def _of_moves(
    settings: Settings, backends: Backends, indexer: Indexer, clearing: Clearing, keeping: FileKeeping, work_path: Path,
    extract: Callable[[], None], namespaces_changed: Callable[[], None],
) -> Sequence[Any]:  # fmt: skip
    """What copies namespaces, and what moves collections within one."""
    clock = SystemClock()
    copying = snapshots_of(backends, keeping, indexer, clearing, clock, work_path / "snapshots", namespaces_changed)
    copy = _one(SnapshotService, copying).wake
    return *copying, *migrations_of(settings, backends, indexer, clearing, clock, extract, namespaces_changed, copy)


def _of_manifests(
    settings: Settings, backends: Backends, indexer: Indexer, clearing: Clearing, reach: Reach, vault: Vault,
    namespaces_changed: Callable[[], None], admission: Admission, executing: Sequence[Any], turns: Turns,
) -> Sequence[Any]:  # fmt: skip
    """Namespaces as files, written by hand or by a language model."""
    manifests = manifests_of(settings, backends, indexer, clearing, reach, vault, namespaces_changed, admission.quota)
    catalogue, price = _one(StageCatalogue, executing), price_table(settings).of("agent_search")
    language = reach.language
    written = generation_of(manifests, backends.metadata, backends.extractors, catalogue, language, price, turns)
    return manifests, written


def _of_walks(
    backends: Backends, indexer: Indexer, clock: SystemClock, reach: Reach, executing: Sequence[Any], work_path: Path,
    extract: Callable[[], None],
) -> Sequence[Any]:  # fmt: skip
    """What is found in whole collections, and told to their documents."""
    metadata, locks, labelling = backends.metadata, backends.locks, _one(Labelling, executing)
    # By the kind of walk, whose it is.
    walkers: dict[str, Walker] = {
        APPLICATION: TaxonomyWalker(metadata, labelling, clock),
        ENRICHMENT: ClusterEnrichment(metadata),
        WATCH: AlertWalker(metadata, _one(ExecutionService, executing), clock),
    }
    walks = WalkWorker(metadata, indexer, clock, walkers, locks)
    return (
        walks,
        AlertService(metadata, clock, walks.wake),
        *clusters_of(metadata, clock, reach.language, locks, work_path, walks.wake, extract),
        *taxonomies_of(metadata, reach.language, labelling, clock, walks.wake),
    )


def _of_data(
    settings: Settings, backends: Backends, indexer: Indexer, worker: ExtractionWorker, secret: bytes,
    files: FileSweeper, clearing: Clearing, work_path: Path,
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
        DocumentExports(metadata, work_path / "exports"),
        LineageService(metadata),
        BatchService(metadata, worker.wake, settings.max_queued_batches),
        SchemaSyncService(metadata, SystemClock()),
        CollectionRunService(metadata, worker.wake),
        TaskService(metadata),
        ResourceSearch(metadata),
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
    reach = replace(reach, learning=LearntWeights(metadata, clock), taxonomies=StoredTaxonomies(metadata))
    environment = Environment(
        searcher_over(backends, shared.cache, telemetry, reach.outside), backends.models, clock, reach
    )
    nested = NestedRetrievers(metadata, planner, Executor(environment, prices, experience))
    environment = replace(environment, reach=replace(reach, retrievers=nested))
    executor = Executor(environment, prices, experience, watch=telemetry)
    # What the shadow runs is no execution: nothing counts or learns from it.
    shadows = Shadows(metadata, Trials(planner, Executor(environment, prices)), clock)
    executions = ExecutionService(
        metadata, planner, executor, clock, in_flight, results_alias=settings.results_alias,
        streaming=Streaming(clock, settings.stream_heartbeat_s, settings.stream_stall_s),
        answers=answers_over(backends, executor, shared.cache, telemetry, shared.locks),
        policies=policies, turns=turns, budgets=budgets, shadow=shadows.offer,
    )  # fmt: skip
    records = ExecutionRecords(metadata, in_flight)
    retrievers = RetrieverService(metadata, planner, clock, reach.code)
    return (
        retrievers,
        records,
        prices,
        Labelling(environment),
        StageCatalogue(STAGES, reach.lacks),
        PromotionService(metadata, records, retrievers, clock),
        executions,
        shadows,
        RolloutService(metadata, clock, shadows.let_go),
        ExplainService(metadata, backends.index, planner, prices, experience, reach.lacks),
        *_of_records(metadata, records, in_flight, clock),
        ReplayService(metadata, records, planner, executor, in_flight, turns),
        CheckService(metadata, planner, executor, turns),
        *tuning_of(metadata, TuningService(metadata, planner, executor, turns), retrievers, clock, backends.locks),
        TuningAdvice(metadata, clock),
        ModelJudgements(metadata, reach.language, prices.of("llm_filter"), turns, clock),
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
