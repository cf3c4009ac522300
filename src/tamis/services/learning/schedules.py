"""When a trigger fires, by its type, as its `schedule_config` says it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from tamis.engine.cron import parse_cron
from tamis.errors import ValidationError
from tamis.model.filters import parse_filter
from tamis.model.json import JSON
from tamis.model.trigger import TriggerType

_LONGEST_S = 366 * 86_400
SEEN = 1_000
"""New documents, the newest, that a condition looks at."""
EVENT_LOOK_S = 5.0
"""How often new documents are counted."""

_METRICS = {"drift": ("cosine_drift", 2), "volume": ("new_share", 1), "documents": ("new_documents", SEEN)}


class _Schedule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CronSchedule(_Schedule):
    cron_expression: str = Field(min_length=1, max_length=200)
    timezone: str = Field("UTC", max_length=100)

    @pydantic.model_validator(mode="after")
    def _fires(self) -> "CronSchedule":
        if parse_cron(self.cron_expression, self.timezone).after(datetime.fromisoformat("2024-01-01T00:00Z")) is None:
            raise ValueError("there is no such day in any year")
        return self


class IntervalSchedule(_Schedule):
    interval_seconds: int = Field(ge=1, le=_LONGEST_S)
    start_immediately: bool = False


class EventSchedule(_Schedule):
    """collection_id: whose documents count; None is all that the action looks at."""

    event_type: Literal["documents_added"] = "documents_added"
    event_threshold: int = Field(1, ge=1, le=10_000_000)
    collection_id: str | None = Field(None, min_length=1)
    cooldown_seconds: int = Field(0, ge=0, le=_LONGEST_S)


class ConditionalSchedule(_Schedule):
    """drift: how far new documents are from those of the last run, 1 - cosine of their means. volume: the share of
    documents that are new since then. documents: how many new ones, of the newest thousand, `filters` lets in.
    """

    condition_type: Literal["drift", "volume", "documents"]
    threshold: float = Field(gt=0, le=SEEN, allow_inf_nan=False)
    metric: Literal["cosine_drift", "new_share", "new_documents"] | None = None
    filters: dict[str, Any] | None = None
    check_interval_seconds: int = Field(3600, ge=1, le=_LONGEST_S)

    @pydantic.model_validator(mode="after")
    def _fits(self) -> "ConditionalSchedule":
        fits, most = _METRICS[self.condition_type]
        if self.metric not in (None, fits):
            raise ValueError(f"the metric of {self.condition_type} is {fits}")
        if self.threshold > most:
            raise ValueError(f"a threshold of {self.condition_type} is at most {most}")
        if self.filters is not None and self.condition_type != "documents":
            raise ValueError("filters belong to the condition_type documents")
        return self


Schedule = CronSchedule | IntervalSchedule | EventSchedule | ConditionalSchedule
_SCHEDULES: Mapping[TriggerType, type[Schedule]] = {
    TriggerType.CRON: CronSchedule,
    TriggerType.INTERVAL: IntervalSchedule,
    TriggerType.EVENT: EventSchedule,
    TriggerType.CONDITIONAL: ConditionalSchedule,
}


def parse_schedule(kind: TriggerType, raw: Mapping[str, Any]) -> Schedule:
    """Raises: ValidationError naming the field."""
    model = _SCHEDULES[kind]
    parse_filter(raw.get("filters"), ["body", "schedule_config", "filters"])
    try:
        return model.model_validate(dict(raw))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        place: list[str | int] = ["body", "schedule_config", *first["loc"]]
        known = f"; {kind} takes {', '.join(model.model_fields)}" if "extra" in first["type"] else ""
        raise ValidationError.at(place, f"{first['msg'].removeprefix('Value error, ')}{known}") from None


def shown(schedule: Schedule) -> dict[str, JSON]:
    return schedule.model_dump(exclude_none=True)


def first_due(schedule: Schedule, now: datetime) -> datetime:
    """When it fires for the first time, or is looked at."""
    if isinstance(schedule, IntervalSchedule) and schedule.start_immediately:
        return now
    return next_due(schedule, now, now)


def next_due(schedule: Schedule, due: datetime, now: datetime) -> datetime:
    """After it was due. An interval keeps its beat; what was missed while the server was down is made up for once."""
    if isinstance(schedule, CronSchedule):
        # It fires: that was looked into when it was made.
        return parse_cron(schedule.cron_expression, schedule.timezone).after(now) or now + timedelta(days=366)
    if isinstance(schedule, IntervalSchedule):
        beat = timedelta(seconds=schedule.interval_seconds)
        return due + beat * ((now - due) // beat + 1)
    seconds = schedule.check_interval_seconds if isinstance(schedule, ConditionalSchedule) else EVENT_LOOK_S
    return now + timedelta(seconds=seconds)
