"""Triggers: made, changed, paused, fired by hand, and what they began."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.batch import Task
from tamis.model.ids import new_id
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.trigger import Action, Firing, Trigger, TriggerStatus, TriggerType
from tamis.services.data.collections import require_collection
from tamis.services.learning.schedules import ConditionalSchedule, EventSchedule, Schedule, first_due, parse_schedule
from tamis.services.learning.schedules import shown as shown_schedule
from tamis.services.learning.trigger_actions import Aim, aim_of, begin_action, parse_config

_KEPT = 1_000
"""Firings of one trigger, the newest."""
_SORTED_BY = ("created_at", "updated_at", "last_triggered_at", "next_scheduled_at")
_SCHEDULE: list[str | int] = ["body", "schedule_config"]


@dataclass(frozen=True, slots=True)
class TriggerDraft:
    """config: the action's own, as it was sent.  schedule: by the type, as it was sent."""

    action: Action
    config: Mapping[str, Any]
    type: TriggerType
    schedule: Mapping[str, Any]
    status: TriggerStatus = TriggerStatus.ACTIVE
    description: str | None = None


@dataclass(frozen=True, slots=True)
class TriggerQuery:
    """resource_id: of the cluster, taxonomy or collection. None takes all."""

    action: Action | None = None
    resource_id: str | None = None
    status: TriggerStatus | None = None
    type: TriggerType | None = None
    sort_by: str = "created_at"
    is_descending: bool = True
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TriggerChange:
    """None leaves as it is."""

    schedule: Mapping[str, Any] | None = None
    status: TriggerStatus | None = None
    description: str | None = None


class TriggerService:
    def __init__(
        self, metadata: Metadata, clock: Clock, wake: Callable[[], None] = lambda: None,
        begun: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """wake: tells the worker that looks at triggers.  begun: those that do what triggers begin."""
        self._metadata = metadata
        self._clock = clock
        self._wake = wake
        self._begun = begun

    async def create(self, principal: Principal, draft: TriggerDraft) -> Trigger:
        """Raises: ValidationError naming the place, NotFoundError."""
        now = self._clock.now()
        made = await self._metadata.write(lambda session: insert_trigger(session, principal, draft, now))
        self._wake()
        return made

    async def get(self, principal: Principal, trigger_id: str) -> Trigger:
        """Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_trigger(session, principal, trigger_id))

    async def list(self, principal: Principal, query: TriggerQuery) -> Page[Trigger]:
        """Raises: ValidationError (what it is sorted by)."""
        return await self._metadata.read(lambda session: list_triggers(session, principal, query))

    async def change(self, principal: Principal, trigger_id: str, change: TriggerChange) -> Trigger:
        """One that goes on begins its wait anew. Raises: NotFoundError, ValidationError."""
        now = self._clock.now()
        changed = await self._metadata.write(
            lambda session: change_trigger(
                session, principal, find_trigger(session, principal, trigger_id), change, now
            )
        )
        self._wake()
        return changed

    async def delete(self, principal: Principal, trigger_id: str) -> None:
        """With its history; what it began goes on. Raises: NotFoundError."""

        def remove(session: Session) -> None:
            session.triggers.delete(principal, find_trigger(session, principal, trigger_id).trigger_id)

        await self._metadata.write(remove)

    async def execute(self, principal: Principal, trigger_id: str) -> Task:
        """Now, whatever its schedule and status. Raises: NotFoundError; ConflictError while its work is under way."""

        def fire(session: Session) -> Task:
            trigger = find_trigger(session, principal, trigger_id)
            now = _later_than(trigger.last_fired_at, self._clock.now())
            fired = fire_trigger(session, principal, trigger, now, now)
            if fired is None:
                raise ConflictError(
                    "what this trigger begins is under way: wait for it, or cancel it", task_id=trigger.last_task_id
                )
            session.triggers.replace(principal, fired[0])
            return fired[1]

        task = await self._metadata.write(fire)
        self._begun()
        return task

    async def history(self, principal: Principal, trigger_id: str, limit: int, offset: int) -> Page[Firing]:
        """Newest first, of the newest thousand. Raises: NotFoundError."""

        def read(session: Session) -> Page[Firing]:
            found = find_trigger(session, principal, trigger_id)
            page = session.firings.page(principal, found.trigger_id, limit, offset)
            return replace(page, items=[as_its_task(session, principal, one) for one in page.items])

        return await self._metadata.read(read)


def insert_trigger(session: Session, principal: Principal, draft: TriggerDraft, now: datetime) -> Trigger:
    """Raises: ValidationError naming the place, NotFoundError."""
    schedule = parse_schedule(draft.type, draft.schedule)
    config = parse_config(draft.action, draft.config)
    aim = aim_of(session, principal, config)
    made = Trigger(
        new_id("trig"), draft.action, aim.resource_id, draft.type, shown_schedule(schedule),
        _watched(session, principal, draft.action, aim, schedule), now, now, draft.status, first_due(schedule, now),
        now, description=draft.description, created_by=principal.user_id,
        config=config.model_dump(mode="json", exclude_unset=True),
    )  # fmt: skip
    session.triggers.insert(principal, made)
    return made


def find_trigger(session: Session, principal: Principal, trigger_id: str, action: Action | None = None) -> Trigger:
    """action: None finds those of every action. Raises: NotFoundError."""
    found = session.triggers.get(principal, trigger_id)
    if found is None or action not in (None, found.action):
        raise NotFoundError.of("trigger", trigger_id)
    return found


def list_triggers(session: Session, principal: Principal, query: TriggerQuery) -> Page[Trigger]:
    """Raises: ValidationError (what it is sorted by)."""
    if query.sort_by not in _SORTED_BY:
        raise ValidationError.at(["body", "sort_by"], f"one of {', '.join(_SORTED_BY)}")
    wanted = {"action": query.action, "resource_id": query.resource_id, "status": query.status, "type": query.type}
    chosen = [
        one
        for one in session.triggers.list(principal)
        if all(value is None or getattr(one, name) == value for name, value in wanted.items())
    ]
    window = _sorted(chosen, query)[query.offset : query.offset + query.limit]
    return Page(window, len(chosen), query.limit, query.offset)


def change_trigger(
    session: Session, principal: Principal, before: Trigger, change: TriggerChange, now: datetime
) -> Trigger:
    """Raises: NotFoundError, ValidationError."""
    changed = replace(
        before, status=change.status or before.status, updated_at=now,
        description=before.description if change.description is None else change.description,
    )  # fmt: skip
    parsed = parse_schedule(before.type, before.schedule if change.schedule is None else change.schedule)
    goes_on = changed.status is TriggerStatus.ACTIVE and before.status is not TriggerStatus.ACTIVE
    if change.schedule is not None or goes_on:
        aim = aim_of(session, principal, parse_config(before.action, before.config))
        watched = _watched(session, principal, before.action, aim, parsed)
        changed = replace(
            changed, schedule=shown_schedule(parsed), collection_ids=watched, due_at=first_due(parsed, now), failures=0
        )
    session.triggers.replace(principal, changed)
    return changed


def fire_trigger(
    session: Session, principal: Principal, trigger: Trigger, moment: datetime, now: datetime
) -> tuple[Trigger, Task] | None:
    """Begin its work and note the firing; the trigger as it is then is the caller's to store. None while it waits.

    Raises: AlreadyExistsError where it fired for this moment, NotFoundError.
    """
    task = begin_action(session, principal, trigger, now)
    if task is None:
        return None
    ended = now if task.status.is_final else None
    session.firings.insert(principal, Firing(trigger.trigger_id, moment, task.task_id, now, task.status, None, ended))
    session.firings.trim(principal, trigger.trigger_id, _KEPT)
    fired = replace(
        trigger, last_fired_at=now, last_task_id=task.task_id, last_status=task.status.value.lower(), last_error=None,
        fired=trigger.fired + 1, since=now, counted=0,
    )  # fmt: skip
    return fired, task


def as_its_task(session: Session, principal: Principal, firing: Firing) -> Firing:
    """As far as its work is by now; of one whose task is gone, how it ended is not known."""
    if firing.status.is_final:
        return firing
    task = session.tasks.get(principal, firing.task_id)
    if task is None:
        return firing
    ended = task.updated_at if task.status.is_final else None
    return replace(firing, status=task.status, error=task.error, ended_at=ended)


def _watched(session: Session, principal: Principal, action: Action, aim: Aim, schedule: Schedule) -> tuple[str, ...]:
    """The collections whose documents count."""
    if isinstance(schedule, ConditionalSchedule) and schedule.condition_type == "drift" and action != Action.CLUSTER:
        message = "drift is measured from a cluster's last run; an action of another kind takes volume or documents"
        raise ValidationError.at([*_SCHEDULE, "condition_type"], message)
    if not isinstance(schedule, EventSchedule) or schedule.collection_id is None:
        return aim.collection_ids
    found = require_collection(session, principal, schedule.collection_id).collection_id
    if found not in aim.collection_ids:
        raise ValidationError.at([*_SCHEDULE, "collection_id"], "the action is not over this collection")
    return (found,)


def _sorted(triggers: Sequence[Trigger], query: TriggerQuery) -> list[Trigger]:
    """What has no such time comes last."""
    field = {"last_triggered_at": "last_fired_at", "next_scheduled_at": "due_at"}.get(query.sort_by, query.sort_by)
    there = [one for one in triggers if getattr(one, field) is not None]
    missing = [one for one in triggers if getattr(one, field) is None]
    return sorted(there, key=lambda one: (getattr(one, field), one.trigger_id), reverse=query.is_descending) + missing


def _later_than(before: datetime | None, now: datetime) -> datetime:
    """Two firings by hand have two moments, also on a clock that stands."""
    return now if before is None or now > before else before + timedelta(microseconds=1)
