"""What can be done with an execution from its page."""

from starlette.responses import Response

from tamis.errors import BadRequestError, TamisError
from tamis.executions.replaying import ReplayMode
from tamis.services.learning.promotion import PromotionService
from tamis.services.records.execution_records import ANY_RETRIEVER
from tamis.services.records.exports import ExportService
from tamis.services.records.replays import ReplayService
from tamis.services.records.sieves import SieveService
from tamis.services.records.whynot import WhyService
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.studio import fields, snippets
from tamis.studio.security import HEADERS
from tamis.studio.visit import Visit


async def why(visit: Visit) -> Response:
    document_id = visit.field("document_id")
    if not document_id:
        raise BadRequestError("document_id: the id of the document that is missing", field="document_id")
    found = await visit.service(WhyService).why(visit.principal, _id(visit), document_id, ANY_RETRIEVER)
    return visit.page("_why.html", why=found)


async def replay(visit: Visit) -> Response:
    mode = visit.field("mode", ReplayMode.FROZEN.value)
    if mode not in list(ReplayMode):
        raise BadRequestError(f"mode: one of {', '.join(ReplayMode)}", field="mode")
    found = await visit.service(ReplayService).replay(
        visit.principal, _id(visit), ReplayMode(mode), visit.field("allow_effects") == "yes", ANY_RETRIEVER
    )
    return visit.page("_replay.html", replayed=found)


async def run_again(visit: Visit) -> Response:
    """The same pipeline on the inputs that were sent; the page of the new execution, also of one that failed."""
    request = await visit.service(SieveService).request(visit.principal, _id(visit))
    definition = request.definition
    options = RunOptions(
        inputs=fields.json_object(visit.field("inputs"), "inputs"),
        collections=definition.collection_ids,
        budget=definition.budget,
    )
    try:
        executed = await visit.service(ExecutionService).execute_anonymous(
            visit.principal, definition.stages, definition.input_schema, options
        )
    except TamisError as error:
        execution_id = error.details.get("execution_id")
        if not isinstance(execution_id, str):
            raise
        return visit.moved(f"/executions/{execution_id}")
    return visit.moved(f"/executions/{executed.execution_id}")


async def save(visit: Visit) -> Response:
    with visit.making("retrievers"):
        made = await visit.service(PromotionService).to_retriever(
            visit.principal, _id(visit), visit.field("name"), retriever=ANY_RETRIEVER
        )
    return visit.page("_saved.html", made=made)


async def evaluate(visit: Visit) -> Response:
    promoted = await visit.service(PromotionService).to_dataset(
        visit.principal, _id(visit), visit.field("name"), ANY_RETRIEVER
    )
    pool = len(promoted.query.pool)
    return visit.page("_done.html", message=visit.language("action.added", name=promoted.dataset.name, pool=pool))


async def export(visit: Visit) -> Response:
    execution_id = _id(visit)
    data = await visit.service(ExportService).export(visit.principal, execution_id, ANY_RETRIEVER, True)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{execution_id}.tamis.json"'}
    return Response(data, media_type="application/json", headers=headers)


async def code(visit: Visit) -> Response:
    request = await visit.service(SieveService).request(visit.principal, _id(visit))
    body, base_url = snippets.body_of(request.definition, request.inputs), str(visit.request.base_url).rstrip("/")
    made = {
        "curl": snippets.curl(body, base_url, visit.namespace.name),
        "Python": snippets.python(body, base_url, visit.namespace.name),
    }
    return visit.page("_code.html", made=made)


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["execution_id"])
