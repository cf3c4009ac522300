"""The list of executions."""

from starlette.responses import Response

from tamis.engine.ports.metadata import ExecutionQuery
from tamis.services.execution_records import ExecutionRecords
from tamis.studio.visit import Visit


async def show(visit: Visit) -> Response:
    page = await visit.service(ExecutionRecords).list_anonymous(visit.principal, ExecutionQuery(limit=50))
    return visit.page("executions.html", page=page)
