"""What happens in a namespace, as it happens: the newest changes, and each new one above them as it comes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from tamis.auth.sessions import Sessions
from tamis.errors import BadRequestError
from tamis.model.json import JSON
from tamis.model.namespace_event import FOLLOWED, GROUPS, TASK, NamespaceEvent, Position, position_of
from tamis.model.principal import Permission
from tamis.services.data.event_following import Closed, EventFollowing, Silence, Step
from tamis.studio.languages import Language
from tamis.studio.places import placed
from tamis.studio.security import HEADERS
from tamis.studio.templating import render
from tamis.studio.visit import Visit

SHOWN = 30
_PAGES = {"collection": "/data/collections/{}", "trigger": "/automation/triggers/{}"}
_OPENED = b": it is open\n\n"


async def index(visit: Visit) -> Response:
    """Raises: BadRequestError (type)."""
    group = _group(visit)
    following = visit.service(EventFollowing)
    opened = await following.begin(visit.principal, None)
    found = await following.recent(visit.principal, _types(group), SHOWN)
    rows = [shown(visit.language, one) for one in found]
    return placed(visit, "activity.html", rows=rows, groups=GROUPS, wanted=group, position=opened.position)


async def events(visit: Visit) -> Response:
    """Server-sent events: a row for each change after the page was made, or after the row that came last.

    Raises: BadRequestError (type, since), TooManyRequestsError.
    """
    types = _types(_group(visit))
    given = visit.request.headers.get("last-event-id") or visit.asked("since", str(Position()))
    try:
        position = position_of(given)
    except ValueError as error:
        raise BadRequestError("since: the id of an event", field="since") from error
    following = visit.service(EventFollowing)
    opened = await following.begin(visit.principal, position)

    async def still() -> None:
        sessions = visit.service(Sessions)
        await sessions.identify(visit.session, Permission.READ)
        await sessions.enter(visit.session, visit.namespace.namespace_id, Permission.READ)

    steps = following.follow(visit.principal, opened, types, still)
    headers = {**HEADERS, "x-accel-buffering": "no"}
    return StreamingResponse(_written(visit, steps), headers=headers, media_type="text/event-stream")


def shown(language: Language, one: NamespaceEvent) -> dict[str, Any]:
    """What a row says."""
    group, _, verb = one.event_type.partition(".")
    only = one.resource_ids[0] if one.count == 1 else None
    return {
        "at": one.at,
        "event_type": one.event_type,
        "group": language.of("activity.group", group),
        "verb": language.of("task", verb.upper()) if group == TASK[:-1] else language.of("activity.verb", verb),
        "only": only,
        "page": _page(group, only, one) if only else None,
        "count": one.count,
        "data": _details(only, one),
    }


def _details(only: str | None, one: NamespaceEvent) -> dict[str, JSON]:
    """What is not said beside them."""
    said = (only, one.data.get("status"))
    return {name: it for name, it in one.data.items() if isinstance(it, str | int | float) and it not in said}


def _page(group: str, resource_id: str, one: NamespaceEvent) -> str | None:
    """Where it is shown; of what is gone, nowhere."""
    if one.event_type.endswith(".deleted"):
        return None
    bucket = one.data.get("bucket_id")
    if group == "object" and isinstance(bucket, str):
        return f"/data/buckets/{bucket}/objects/{resource_id}"
    return _PAGES[group].format(resource_id) if group in _PAGES else None


def _group(visit: Visit) -> str:
    """Raises: BadRequestError."""
    group = visit.asked("type")
    if group and group not in GROUPS:
        raise BadRequestError(f"type: one of {', '.join(GROUPS)}", field="type")
    return group


def _types(group: str) -> frozenset[str]:
    return frozenset(one for one in FOLLOWED if one.startswith(f"{group}.")) if group else frozenset()


async def _written(visit: Visit, steps: AsyncGenerator[Step, None]) -> AsyncGenerator[bytes, None]:
    """It ends with the session, too: the browser asks once more, and is refused."""
    async with aclosing(steps):
        async for step in steps:
            if isinstance(step, NamespaceEvent):
                row = render("_event.html", {"t": visit.language, "one": shown(visit.language, step)})
                yield b"id: %s\ndata: %s\n\n" % (str(step.position).encode(), orjson.dumps({"html": row}))
            elif isinstance(step, Silence):
                yield b": nothing happened\nid: %s\n\n" % str(step.position).encode()
            elif not isinstance(step, Closed):
                yield _OPENED
