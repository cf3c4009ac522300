"""How runs of syncs went, on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.analytics import TimeRange
from tamis.services.records.sync_analytics import SyncRun, SyncRuns

_BITS, _MEGA = 8, 1_000_000


class SyncRunMetric(BaseModel):
    """sync_run_id: its task.  duration_seconds: so far, where it is under way.  throughput_mbps: megabits a second.

    files_discovered: those that passed the filters; until all are listed, those that were looked at.
    """

    sync_run_id: str
    sync_config_id: str
    started_at: datetime
    duration_seconds: float
    files_discovered: int
    files_synced: int
    files_failed: int
    bytes_synced: int
    throughput_mbps: float
    status: str
    provider_type: str = Field(..., description="`deleted` where the connection is.")


class SyncPerformanceResponse(BaseModel):
    """runs: newest first, of the syncs that are there.  summary: of all runs of the time, shown or not."""

    bucket_id: str
    sync_config_id: str | None = None
    time_range: TimeRange
    runs: list[SyncRunMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class SyncConfigMetric(BaseModel):
    """Means are of the runs that have ended.  success_rate: from 0 to 1; 1 where none has."""

    sync_config_id: str
    provider_type: str
    run_count: int
    avg_duration_seconds: float
    avg_throughput_mbps: float
    success_rate: float
    total_files_synced: int
    total_bytes_synced: int


class SyncComparisonResponse(BaseModel):
    """configs: the bucket's syncs, newest first, those without a run included."""

    bucket_id: str
    time_range: TimeRange
    configs: list[SyncConfigMetric]


def show_sync_runs(found: SyncRuns, sync_id: str | None, limit: int) -> SyncPerformanceResponse:
    return SyncPerformanceResponse(
        bucket_id=found.bucket.bucket_id,
        sync_config_id=sync_id,
        time_range=TimeRange(start=found.span.start, end=found.span.end),
        runs=[_run(one) for one in found.runs[:limit]],
        summary={
            "total_runs": len(found.runs),
            "failed_runs": sum(one.is_over and not one.is_good for one in found.runs),
            "total_files_failed": sum(one.failed for one in found.runs),
            **_figures(found.runs),
            "is_complete": found.is_whole,
        },
    )


def show_sync_comparison(found: SyncRuns) -> SyncComparisonResponse:
    return SyncComparisonResponse(
        bucket_id=found.bucket.bucket_id,
        time_range=TimeRange(start=found.span.start, end=found.span.end),
        configs=[
            _config(sync_id, provider, [one for one in found.runs if one.sync_id == sync_id])
            for sync_id, provider in found.syncs
        ],
    )


def _run(one: SyncRun) -> SyncRunMetric:
    return SyncRunMetric(
        sync_run_id=one.run_id,
        sync_config_id=one.sync_id,
        started_at=one.begun_at,
        duration_seconds=one.duration_s,
        files_discovered=one.synced + one.failed if one.discovered is None else one.discovered,
        files_synced=one.synced,
        files_failed=one.failed,
        bytes_synced=one.size_bytes,
        throughput_mbps=_mbps(one.size_bytes, one.duration_s),
        status=one.status.value,
        provider_type=one.provider,
    )


def _config(sync_id: str, provider: str, runs: Sequence[SyncRun]) -> SyncConfigMetric:
    return SyncConfigMetric(sync_config_id=sync_id, provider_type=provider, run_count=len(runs), **_figures(runs))


def _figures(runs: Sequence[SyncRun]) -> dict[str, Any]:
    ended = [one for one in runs if one.is_over]
    took_s = sum(one.duration_s for one in ended)
    return {
        "avg_duration_seconds": took_s / len(ended) if ended else 0.0,
        "avg_throughput_mbps": _mbps(sum(one.size_bytes for one in ended), took_s),
        "success_rate": sum(one.is_good for one in ended) / len(ended) if ended else 1.0,
        "total_files_synced": sum(one.synced for one in runs),
        "total_bytes_synced": sum(one.size_bytes for one in runs),
    }


def _mbps(size_bytes: int, duration_s: float) -> float:
    return size_bytes * _BITS / _MEGA / duration_s if duration_s else 0.0
