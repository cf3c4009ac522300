"""Triggers: what begins by itself, when, and what became of each time that it did."""

from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError, NotFoundError
from tamis.model.trigger import Action, Trigger, TriggerStatus, TriggerType
from tamis.services.data.collections import CollectionService
from tamis.services.data.taxonomies import TaxonomyService
from tamis.services.learning.clusters import ClusterService
from tamis.services.learning.triggers import TriggerChange, TriggerQuery, TriggerService
from tamis.services.listing import ListQuery
from tamis.studio.places import page_number, placed
from tamis.studio.trigger_forms import CONDITIONS, UNITS, draft_of, kept, parts, said, schedule_of
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_MOST_CHOICES = 1000
_PAGES = {Action.CLUSTER: "clusters", Action.TAXONOMY: "taxonomies", Action.COLLECTION: "collections"}


async def index(visit: Visit) -> Response:
    """Raises: BadRequestError (status)."""
    at, status = page_number(visit), visit.asked("status")
    if status and status not in list(TriggerStatus):
        raise BadRequestError(f"status: one of {', '.join(TriggerStatus)}", field="status")
    query = TriggerQuery(
        status=TriggerStatus(status) if status else None, limit=PAGE_SIZE, offset=(at - 1) * PAGE_SIZE
    )  # fmt: skip
    page = await visit.service(TriggerService).list(visit.principal, query)
    rows = [(one, said(visit.language, one), await _name(visit, one)) for one in page.items]
    return visit.page(
        "triggers.html", triggers=page, rows=rows, statuses=list(TriggerStatus), wanted=status, at=at,
        page_size=PAGE_SIZE,
    )  # fmt: skip


async def new(visit: Visit) -> Response:
    query = ListQuery(limit=_MOST_CHOICES)
    clusters, _ = await visit.service(ClusterService).list(visit.principal, query)
    taxonomies = await visit.service(TaxonomyService).list(visit.principal, query)
    collections = await visit.service(CollectionService).all(visit.principal)
    return placed(
        visit, "new_trigger.html", clusters=[one.cluster for one in clusters.items], taxonomies=taxonomies.items,
        collections=collections, actions=list(Action), kinds=list(TriggerType), wanted=_wanted(visit),
        **_choices(),
    )  # fmt: skip


async def create(visit: Visit) -> Response:
    """Raises: BadRequestError, ValidationError naming the field, NotFoundError."""
    made = await visit.service(TriggerService).create(visit.principal, draft_of(visit))
    return visit.moved(f"/automation/triggers/{made.trigger_id}")


async def show(visit: Visit) -> Response:
    visit, trigger = await _trigger_of(visit)
    at = page_number(visit)
    history = await visit.service(TriggerService).history(
        visit.principal, trigger.trigger_id, PAGE_SIZE, (at - 1) * PAGE_SIZE
    )
    return placed(
        visit, "trigger.html", trigger=trigger, says=said(visit.language, trigger), history=history,
        resource=await _name(visit, trigger), resource_page=f"/data/{_PAGES[trigger.action]}/{trigger.resource_id}",
        is_running=any(not one.status.is_final for one in history.items), at=at, page_size=PAGE_SIZE,
        **_choices(),
    )  # fmt: skip


async def change(visit: Visit) -> Response:
    """When it fires, and what it says of itself. Raises: BadRequestError, ValidationError naming the field."""
    visit, trigger = await _trigger_of(visit)
    schedule = kept(trigger, schedule_of(visit, trigger.type))
    change = TriggerChange(schedule=schedule, description=visit.field("description"))
    await visit.service(TriggerService).change(visit.principal, trigger.trigger_id, change)
    return visit.moved(f"/automation/triggers/{trigger.trigger_id}")


async def run(visit: Visit) -> Response:
    """Raises: ConflictError while its work is under way."""
    visit, trigger = await _trigger_of(visit)
    await visit.service(TriggerService).execute(visit.principal, trigger.trigger_id)
    return visit.moved(f"/automation/triggers/{trigger.trigger_id}")


async def pause(visit: Visit) -> Response:
    return await _set(visit, TriggerStatus.PAUSED)


async def resume(visit: Visit) -> Response:
    return await _set(visit, TriggerStatus.ACTIVE)


async def delete(visit: Visit) -> Response:
    visit, trigger = await _trigger_of(visit)
    await visit.service(TriggerService).delete(visit.principal, trigger.trigger_id)
    return visit.moved("/automation")


async def _set(visit: Visit, status: TriggerStatus) -> Response:
    visit, trigger = await _trigger_of(visit)
    await visit.service(TriggerService).change(visit.principal, trigger.trigger_id, TriggerChange(status=status))
    return visit.moved(f"/automation/triggers/{trigger.trigger_id}")


async def _trigger_of(visit: Visit) -> tuple[Visit, Trigger]:
    identifier = str(visit.request.path_params["trigger_id"])
    return await visit.found("trigger", lambda inside: inside.service(TriggerService).get(inside.principal, identifier))


async def _name(visit: Visit, trigger: Trigger) -> str | None:
    """Of what it is done with; None where that is gone."""
    principal, identifier = visit.principal, trigger.resource_id
    try:
        if trigger.action is Action.CLUSTER:
            return (await visit.service(ClusterService).get(principal, identifier)).cluster.name
        if trigger.action is Action.TAXONOMY:
            return (await visit.service(TaxonomyService).get(principal, identifier)).name
        return (await visit.service(CollectionService).get(principal, identifier)).collection.name
    except NotFoundError:
        return None


def _wanted(visit: Visit) -> dict[str, str]:
    """What the page that led here has chosen already."""
    return {name: visit.asked(name) for name in ("action", "cluster", "taxonomy", "collection", "source")}


def _choices() -> dict[str, Any]:
    return {"units": list(UNITS), "conditions": CONDITIONS, "parts": parts}
