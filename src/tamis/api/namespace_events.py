"""What happens in a namespace, as server-sent events."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from tamis.api.access import PathReader, service
from tamis.api.batches import EventsResponse
from tamis.api.bodies import JsonRoute
from tamis.api.operations import operation_of
from tamis.api.schemas.namespace_event import NamespaceEventModel, namespace_event
from tamis.api.schemas.stream import event_content
from tamis.api.streams import EVENT_HEADERS, framed
from tamis.auth.gate import Gate
from tamis.errors import ValidationError
from tamis.model.namespace_event import FOLLOWED, Position, position_of
from tamis.model.principal import Permission
from tamis.services.data.event_following import Closed, EventFollowing, Silence, Step

router = APIRouter(prefix="/v1/namespaces", tags=["namespaces"], route_class=JsonRoute)

Following = Annotated[EventFollowing, Depends(service(EventFollowing))]
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The `data` of each event is a NamespaceEvent.",
        "content": event_content(NamespaceEventModel),
    },
}


@router.get("/{namespace_identifier}/events", response_class=EventsResponse, responses=_EVENTS)
async def follow_namespace(
    principal: PathReader,
    request: Request,
    namespace_identifier: str,
    following: Following,
    last_event_id: Annotated[str | None, Header()] = None,
    since: Annotated[str | None, Query()] = None,
    types: Annotated[list[str] | None, Query()] = None,
    follow: bool = True,
) -> Response:
    """Server-sent events: each change in the namespace, from now on or after the event that was seen last.

    since: as the header `Last-Event-ID`, which browsers send by themselves and which comes before it; `0-0` begins with
    the oldest that is kept.  types: the only ones wanted, repeated or with commas; `task` stands for all that begin so.
    follow: false ends, with a `stream.closed`, where there is no more yet.
    """
    opened = await following.begin(principal, _position(last_event_id, since))

    async def still() -> None:
        gate: Gate = request.app.state.services[Gate]
        operation = operation_of(request.method, request.scope["route"].path_format, Permission.READ)
        await gate.enter(request.headers.get("authorization"), principal.namespace_id, Permission.READ, operation)

    steps = following.follow(principal, opened, _types(types), still, follow)
    return EventsResponse(_written(steps), headers=EVENT_HEADERS)


def _position(header: str | None, since: str | None) -> Position | None:
    """Raises: ValidationError."""
    given = header or since
    if not given:
        return None
    try:
        return position_of(given)
    except ValueError:
        where: list[str | int] = ["header", "Last-Event-ID"] if header else ["query", "since"]
        message = "must be the id of an event, as this stream gave it; `0-0` begins with the oldest that is kept"
        raise ValidationError.at(where, message) from None


def _types(given: list[str] | None) -> frozenset[str]:
    """Raises: ValidationError."""
    chosen: set[str] = set()
    for n, name in enumerate(name.strip() for part in given or () for name in part.split(",") if name.strip()):
        group = f"{name.removesuffix('.*')}."
        found = [one for one in FOLLOWED if one == name or one.startswith(group)]
        if not found:
            message = f"{name!r} is none of {', '.join(FOLLOWED)}, nor what these begin with"
            raise ValidationError.at(["query", "types", n], message)
        chosen.update(found)
    return frozenset(chosen)


async def _written(steps: AsyncGenerator[Step, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(steps):
        async for step in steps:
            yield b"".join(_framed(step))


def _framed(step: Step) -> Iterator[bytes]:
    """What closes a stream has no id: whoever comes back goes on after the last event."""
    if isinstance(step, Silence):
        yield f": nothing happened\nid: {step.position}\n\n".encode()
        return
    if not isinstance(step, Closed):
        yield f"id: {step.position}\n".encode()
    yield from framed(namespace_event(step).model_dump(mode="json"))
