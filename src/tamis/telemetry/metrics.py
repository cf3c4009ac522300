"""Metrics in the Prometheus text format. No label holds a tenant, a collection, an id or a caller's own words."""

from collections import Counter as Tally
from collections.abc import Sequence, Sized
from typing import TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from tamis import __version__
from tamis.engine.events import STAGE_ENDS, Event, StageEnd, StageFailed, StageFinished
from tamis.engine.ports.cache import Layer
from tamis.engine.ports.telemetry import Vitals
from tamis.model.execution import MODES, ExecutionHeader, ExecutionStatus

_BUCKETS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
_StageTold: TypeAlias = tuple[str, str, float, float]
_MOST_WAITING = 256
_OUTCOMES = ("completed", "cached", "passed_over", "failed", "skipped", "cut")
# When each series began is a third of the page and nobody's question.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped
_ENDED: list[ExecutionStatus] = [status for status in ExecutionStatus if status is not ExecutionStatus.PROCESSING]


class Metrics:
    """All metrics of one server, in a registry of their own.

    What runs often finds its labels bound already; bound ahead, a series also shows 0 before anything has happened.
    """

    def __init__(self, stage_ids: Sequence[str]) -> None:
        """stage_ids: of every stage that there is; one that is not among them is counted as `other`."""
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        Info("tamis_build", "The version of Tamis.", registry=registry).info({"version": __version__})
        self._bind_executions(registry)
        self._bind_stages(registry, (*stage_ids, "other"))
        lookups = Counter("tamis_cache_lookups", "Look-ups in a cache.", ["layer", "result"], registry=registry)
        self._lookups = {
            (layer, hit): lookups.labels(layer.value, "hit" if hit else "miss")
            for layer in Layer
            for hit in (True, False)
        }
        requests = Counter("tamis_http_requests", "HTTP requests answered.", ["status"], registry=registry)
        self._requests = {status: requests.labels(status) for status in (200, 404, 422, 500)}
        self._requests_of_status = requests
        self._bind_vitals(registry)
        self._executions: list[tuple[ExecutionHeader, float, list[_StageTold]]] = []
        self._looked_up: list[tuple[Layer, bool]] = []
        self._answered: list[int] = []

    def _bind_executions(self, registry: CollectorRegistry) -> None:
        executions = Counter(
            "tamis_executions", "Executions whose record is durable.", ["mode", "status"], registry=registry
        )
        self._ended = {(mode, status): executions.labels(mode, status.value) for mode in MODES for status in _ENDED}
        durations = _histogram("tamis_execution_duration", "From accepted to answered.", ["mode"], registry)
        self._durations = {mode: durations.labels(mode) for mode in MODES}
        self._lag = _histogram("tamis_record_lag", "From an execution's end to its durable record.", [], registry)
        self._credits = Counter("tamis_credits_used", "Credits that executions used.", registry=registry)
        self._saved = Counter("tamis_credits_saved", "Credits that caches spared.", registry=registry)

    def _bind_stages(self, registry: CollectorRegistry, stage_ids: Sequence[str]) -> None:
        times = _histogram("tamis_stage_duration", "Of stages that ran, by stage id.", ["stage"], registry)
        counts = Counter("tamis_stages", "Stages that ended, by how.", ["stage", "outcome"], registry=registry)
        self._stage_times = {stage_id: times.labels(stage_id) for stage_id in stage_ids}
        self._stage_counts = {
            (stage_id, outcome): counts.labels(stage_id, outcome) for stage_id in stage_ids for outcome in _OUTCOMES
        }

    def _bind_vitals(self, registry: CollectorRegistry) -> None:
        self._running = Gauge("tamis_executions_running", "Executions under way.", registry=registry)
        self._batches = Gauge("tamis_batches_unfinished", "Batches submitted and not done.", registry=registry)
        self._waiting = Gauge("tamis_batch_items_waiting", "Items of batches that wait.", registry=registry)
        self._cache = Gauge("tamis_cache_bytes", "Of all caches.", ["of"], registry=registry)
        self._evictions = Gauge("tamis_cache_evictions", "Entries that had to make room so far.", registry=registry)
        self._parts = Gauge("tamis_part_up", "1 where the part answers, else 0.", ["part"], registry=registry)

    def recorded(self, header: ExecutionHeader, lag_ms: float, events: Sequence[Event]) -> None:
        """An execution's record is durable. events: of its stages, none where their times say nothing.

        What is told here is counted when somebody looks, or when there is much of it: with everything at hand, counting
        costs a tenth of what it does on an execution's path.
        """
        self._executions.append((header, lag_ms, [_told(one) for one in events if isinstance(one, STAGE_ENDS)]))
        self._count_where_full(self._executions)

    def looked_up(self, layer: Layer, hit: bool) -> None:
        """The CacheObserver port."""
        self._looked_up.append((layer, hit))
        self._count_where_full(self._looked_up)

    def answered(self, status: int) -> None:
        """An HTTP request was answered."""
        self._answered.append(status)
        self._count_where_full(self._answered)

    def _count_where_full(self, waiting: Sized) -> None:
        if len(waiting) >= _MOST_WAITING:
            self._count()

    def _count(self) -> None:
        executions, self._executions = self._executions, []
        for header, lag_ms, ends in executions:
            self._count_execution(header, lag_ms)
            for end in ends:
                self._count_stage(*end)
        looked_up, self._looked_up = self._looked_up, []
        for (layer, hit), times in Tally(looked_up).items():
            self._lookups[layer, hit].inc(times)
        answered, self._answered = self._answered, []
        for status, times in Tally(answered).items():
            if status not in self._requests:
                self._requests[status] = self._requests_of_status.labels(status)
            self._requests[status].inc(times)

    def _count_execution(self, header: ExecutionHeader, lag_ms: float) -> None:
        self._ended[header.mode, header.status].inc()
        self._durations[header.mode].observe(header.duration_ms / 1000)
        self._lag.observe(lag_ms / 1000)
        self._credits.inc(header.credits_used)

    def _count_stage(self, stage_id: str, outcome: str, duration_ms: float, credits_saved: float) -> None:
        known = stage_id if stage_id in self._stage_times else "other"
        self._stage_counts[known, outcome].inc()
        self._saved.inc(credits_saved)
        if outcome != "cached":
            self._stage_times[known].observe(duration_ms / 1000)

    def set_vitals(self, vitals: Vitals) -> None:
        self._running.set(vitals.executions_running)
        self._batches.set(vitals.batches_unfinished)
        self._waiting.set(vitals.items_waiting)
        for part, is_up in vitals.parts.items():
            self._parts.labels(part).set(is_up)
        if vitals.cache:
            self._cache.labels("used").set(vitals.cache.size_bytes)
            self._cache.labels("capacity").set(vitals.cache.capacity_bytes)
            self._evictions.set(vitals.cache.evictions)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, and its content type: OpenMetrics where the scraper asks for that, else Prometheus text."""
        self._count()
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


def _histogram(name: str, meaning: str, labels: Sequence[str], registry: CollectorRegistry) -> Histogram:
    return Histogram(f"{name}_seconds", meaning, labels, registry=registry, buckets=_BUCKETS_S)


def _told(end: StageEnd) -> _StageTold:
    """Without what it held: a stage's documents need not stay until it is counted."""
    return end.stage_id, outcome_of(end), end.duration_ms, getattr(end, "credits_saved", 0.0)


def outcome_of(end: StageEnd) -> str:
    """`completed`, `cached`, `passed_over` (its condition was false), `failed`, `skipped` (it failed and the run went
    on) or `cut` (by the budget).
    """
    if isinstance(end, StageFinished):
        if end.passed_over is not None:
            return "passed_over"
        return "cached" if end.cache_hit else "completed"
    if isinstance(end, StageFailed):
        return "skipped" if end.skipped else "failed"
    return "cut"
