"""Use and spending on the wire. The contract leaves the answers on use open."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from tamis.model.usage import UsageRow
from tamis.services.access.usage import KeyUsage


class EndpointUsage(BaseModel):
    """avg_duration_ms: of its answers, from the request's arrival to the answer's end."""

    avg_duration_ms: float
    endpoint: str
    failed_requests: int
    requests: int


class DayUsage(BaseModel):
    day: date
    failed_requests: int
    requests: int


class KeyShare(BaseModel):
    failed_requests: int
    key_id: str
    requests: int


class KeyUsageResponse(BaseModel):
    days: list[DayUsage]
    end: date
    failed_requests: int
    key_id: str
    last_used_at: datetime | None = None
    requests: int
    start: date


class OrganizationUsageResponse(BaseModel):
    """credits_used: by executions that began within these days."""

    credits_used: float
    days: list[DayUsage]
    end: date
    endpoints: list[EndpointUsage]
    failed_requests: int
    keys: list[KeyShare]
    organization_id: str
    requests: int
    start: date


def key_usage(key_id: str, usage: KeyUsage) -> KeyUsageResponse:
    return KeyUsageResponse(
        days=_days(usage.rows),
        end=usage.window.end,
        failed_requests=sum(row.failed for row in usage.rows),
        key_id=key_id,
        last_used_at=usage.last_used_at,
        requests=sum(row.requests for row in usage.rows),
        start=usage.window.start,
    )


def organization_usage(organization_id: str, usage: KeyUsage) -> OrganizationUsageResponse:
    keys = _sums((row.key_id, row) for row in usage.rows)
    return OrganizationUsageResponse(
        credits_used=sum(one.credits for one in usage.spent),
        days=_days(usage.rows),
        end=usage.window.end,
        endpoints=endpoints(usage.rows),
        failed_requests=sum(row.failed for row in usage.rows),
        keys=[KeyShare(key_id=key, requests=sums[0], failed_requests=sums[1]) for key, sums in sorted(keys.items())],
        organization_id=organization_id,
        requests=sum(row.requests for row in usage.rows),
        start=usage.window.start,
    )


def endpoints(rows: Iterable[UsageRow]) -> list[EndpointUsage]:
    """Most asked first, then by name."""
    sums = _sums((row.endpoint, row) for row in rows)
    ordered = sorted(sums.items(), key=lambda each: (-each[1][0], each[0]))
    return [
        EndpointUsage(
            endpoint=name, requests=asked, failed_requests=failed, avg_duration_ms=round(micros / asked / 1000, 3)
        )
        for name, (asked, failed, micros) in ordered
    ]


def _days(rows: Iterable[UsageRow]) -> list[DayUsage]:
    sums = _sums((row.day, row) for row in rows)
    return [DayUsage(day=day, requests=each[0], failed_requests=each[1]) for day, each in sorted(sums.items())]


def _sums(rows: Iterable[tuple[Any, UsageRow]]) -> dict[Any, list[int]]:
    """By key: requests, failed, microseconds."""
    found: defaultdict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for key, row in rows:
        for place, value in enumerate((row.requests, row.failed, row.duration_us)):
            found[key][place] += value
    return found
