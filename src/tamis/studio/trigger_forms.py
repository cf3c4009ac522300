"""What a form says of a trigger: what it begins and when, as the API would be told; and the same in words."""

from collections.abc import Mapping
from typing import Any

from tamis.errors import BadRequestError
from tamis.model.json import JSON
from tamis.model.trigger import Action, Trigger, TriggerType
from tamis.services.learning.triggers import TriggerDraft
from tamis.studio import fields
from tamis.studio.languages import Language
from tamis.studio.visit import Visit

UNITS: Mapping[str, int] = {"minute": 60, "hour": 3600, "day": 86_400}
CONDITIONS = ("drift", "volume", "documents")
_MOST = 100_000


def draft_of(visit: Visit) -> TriggerDraft:
    """Raises: BadRequestError naming the field."""
    action = fields.choice(visit.field("action"), "action", Action)
    kind = fields.choice(visit.field("type"), "type", TriggerType)
    return TriggerDraft(
        action, _config(visit, action), kind, schedule_of(visit, kind), description=visit.field("description") or None
    )


def schedule_of(visit: Visit, kind: TriggerType) -> dict[str, Any]:
    """As `schedule_config` has it; the service says what does not fit. Raises: BadRequestError naming the field."""
    if kind is TriggerType.CRON:
        return {"cron_expression": visit.field("cron"), "timezone": visit.field("timezone") or "UTC"}
    if kind is TriggerType.INTERVAL:
        return {
            "interval_seconds": _seconds(visit, "every", "every_unit"), "start_immediately": bool(visit.chosen("now")),
        }  # fmt: skip
    if kind is TriggerType.EVENT:
        least = fields.whole(visit.field("documents"), "documents", 1) or 1
        cooldown = fields.whole(visit.field("cooldown"), "cooldown", 0, _MOST) or 0
        return {"event_threshold": least, "cooldown_seconds": cooldown * UNITS["minute"]}
    return {
        "condition_type": visit.field("condition"),
        "threshold": fields.number(visit.field("threshold"), "threshold"),
        "check_interval_seconds": _seconds(visit, "look", "look_unit"),
    }


def kept(trigger: Trigger, schedule: Mapping[str, Any]) -> dict[str, Any]:
    """With what a form does not show, such as the filters of a condition of the same kind."""
    before = dict(trigger.schedule)
    if before.get("condition_type") != schedule.get("condition_type"):
        before = {}
    return {**before, **schedule}


def said(t: Language, trigger: Trigger) -> str:
    """When it fires, in one line."""
    schedule = trigger.schedule
    if trigger.type is TriggerType.CRON:
        return t("trigger.says.cron", cron=schedule["cron_expression"], zone=schedule.get("timezone", "UTC"))
    if trigger.type is TriggerType.INTERVAL:
        return t("trigger.says.interval", span=span(t, schedule["interval_seconds"]))
    if trigger.type is TriggerType.EVENT:
        return t.count("trigger.says.event", _count(schedule.get("event_threshold", 1)))
    condition = t.of("trigger.condition", str(schedule["condition_type"]))
    return t("trigger.says.conditional", condition=condition, n=f"{schedule['threshold']:g}")


def parts(seconds: JSON) -> tuple[int, str]:
    """A number and the largest unit of `UNITS` that it is a whole number of; less than a minute is one."""
    whole = _count(seconds)
    for unit, length in reversed([*UNITS.items()]):
        if whole >= length and whole % length == 0:
            return whole // length, unit
    return max(1, round(whole / UNITS["minute"])), "minute"


def span(t: Language, seconds: JSON) -> str:
    if _count(seconds) % UNITS["minute"]:
        return t.figures.duration(1000 * _count(seconds))
    number, unit = parts(seconds)
    return t.count(f"span.{unit}", number)


def _config(visit: Visit, action: Action) -> dict[str, Any]:
    if action is Action.CLUSTER:
        return {"cluster_id": _named(visit, "cluster")}
    if action is Action.COLLECTION:
        return {"collection_id": _named(visit, "source")}
    return {
        "taxonomy_id": _named(visit, "taxonomy"),
        "collection_id": _named(visit, "collection"),
        "incremental": bool(visit.chosen("incremental")),
    }


def _named(visit: Visit, name: str) -> str:
    chosen = visit.field(name)
    if not chosen:
        raise BadRequestError(f"{name}: choose one; where there is none yet, make one first", field=name)
    return chosen


def _seconds(visit: Visit, name: str, unit: str) -> int:
    number = fields.whole(visit.field(name), name, 1, _MOST)
    if number is None:
        raise BadRequestError(f"{name}: a whole number from 1 to {_MOST}", field=name)
    if visit.field(unit) not in UNITS:
        raise BadRequestError(f"{unit}: one of {', '.join(UNITS)}", field=unit)
    return number * UNITS[visit.field(unit)]


def _count(value: JSON) -> int:
    return int(value) if isinstance(value, int | float) else 0
