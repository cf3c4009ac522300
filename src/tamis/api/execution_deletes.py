"""Records of executions deleted. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Deleter, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.execution_deletes import DeleteExecutionsRequest, DeleteExecutionsResponse, read_selection
from tamis.engine.ports.executions import ExecutionSelection
from tamis.errors import NotFoundError
from tamis.model.principal import Principal
from tamis.services.records.execution_deletes import Deleted, ExecutionDeletes

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Deletes = Annotated[ExecutionDeletes, Depends(service(ExecutionDeletes))]
InUrl = Annotated[DeleteExecutionsRequest, Query()]


@router.delete("/executions", tags=["anonymous retrievers"])
async def delete_anonymous_executions(
    principal: Deleter, deletes: Deletes, asked: InUrl, body: DeleteExecutionsRequest | None = None
) -> DeleteExecutionsResponse:
    """Delete the records of anonymous executions that every condition sent holds for, in the URL or in a body."""
    return _shown(await deletes.delete(principal, read_selection(asked, body)))


@router.delete("/executions/{execution_id}", tags=["anonymous retrievers"])
async def delete_anonymous_execution(
    principal: Deleter, execution_id: str, deletes: Deletes
) -> DeleteExecutionsResponse:
    """Delete the record of one anonymous execution."""
    return await _delete_one(deletes, principal, execution_id, None)


@router.delete("/{retriever_id}/executions", tags=["retrievers"])
async def delete_executions(
    principal: Deleter,
    retriever_id: str,
    deletes: Deletes,
    asked: InUrl,
    body: DeleteExecutionsRequest | None = None,
) -> DeleteExecutionsResponse:
    """Delete the records of a saved retriever's executions that every condition sent holds for."""
    return _shown(await deletes.delete(principal, read_selection(asked, body), retriever_id))


@router.delete("/{retriever_id}/executions/{execution_id}", tags=["retrievers"])
async def delete_execution(
    principal: Deleter, retriever_id: str, execution_id: str, deletes: Deletes
) -> DeleteExecutionsResponse:
    """Delete the record of one execution of a saved retriever."""
    return await _delete_one(deletes, principal, execution_id, retriever_id)


async def _delete_one(
    deletes: ExecutionDeletes, principal: Principal, execution_id: str, retriever: str | None
) -> DeleteExecutionsResponse:
    deleted = await deletes.delete(principal, ExecutionSelection(execution_ids=(execution_id,)), retriever)
    if deleted.count == 0:
        raise NotFoundError.of("execution", execution_id)
    return _shown(deleted)


def _shown(deleted: Deleted) -> DeleteExecutionsResponse:
    return DeleteExecutionsResponse(deleted=deleted.count, running=list(deleted.running))
