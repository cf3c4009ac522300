"""Sessions with agents: which there are, and what was said in one beside the executions that it made."""

from datetime import UTC, datetime

from starlette.responses import Response

from tamis.model.agent_session import AgentSession
from tamis.services.agents.agent_sessions import AgentSessionService
from tamis.services.listing import ListQuery
from tamis.studio.places import page_number, placed
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_MESSAGES = 60


async def index(visit: Visit) -> Response:
    at = page_number(visit)
    query = ListQuery(limit=PAGE_SIZE, offset=(at - 1) * PAGE_SIZE)
    page = await visit.service(AgentSessionService).list(visit.principal, query)
    return visit.page("agent_sessions.html", sessions=page, at=at, now=datetime.now(UTC), page_size=PAGE_SIZE)


async def show(visit: Visit) -> Response:
    """Raises: NotFoundError."""
    visit, session = await _session_of(visit)
    at = page_number(visit)
    said = await visit.service(AgentSessionService).history(
        visit.principal, session.session_id, _MESSAGES, (at - 1) * _MESSAGES
    )
    runs = [one for one in said.items if one.tool is not None and one.tool.execution_id is not None]
    return placed(
        visit, "agent_session.html", talk=session, stand=session.status(datetime.now(UTC)), said=said, runs=runs,
        at=at, page_size=_MESSAGES,
    )  # fmt: skip


async def delete(visit: Visit) -> Response:
    """With all that was said in it."""
    visit, session = await _session_of(visit)
    await visit.service(AgentSessionService).terminate(visit.principal, session.session_id, forget=True)
    return visit.moved("/data/sessions")


async def _session_of(visit: Visit) -> tuple[Visit, AgentSession]:
    identifier = str(visit.request.path_params["session_id"])
    return await visit.found(
        "agent session", lambda inside: inside.service(AgentSessionService).get(inside.principal, identifier)
    )
