"""Tasks of an organisation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import OrganizationDeleter, OrganizationReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import ListRequest, Paging, pagination
from tamis.api.schemas.batch import task_model
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.task import ListTasksResponse, TaskResponse, TaskStatusEnum, TaskType
from tamis.services.data.tasks import TaskService

router = APIRouter(prefix="/v1/tasks", tags=["tasks"], route_class=JsonRoute)

Tasks = Annotated[TaskService, Depends(service(TaskService))]


class ListTasksRequest(ListRequest):
    status: TaskStatusEnum | None = None
    task_type: TaskType | None = None


@router.post("/list")
async def list_tasks(
    principal: OrganizationReader,
    request: Request,
    tasks: Tasks,
    paging: Paging,
    body: ListTasksRequest | None = None,
) -> ListTasksResponse:
    """Tasks, newest first where no order is asked for."""
    asked = body or ListTasksRequest()
    query = paging.query(asked)
    status = asked.status.value if asked.status else None
    page = await tasks.list(principal, query, status, asked.task_type.value if asked.task_type else None)
    return ListTasksResponse(
        pagination=pagination(page, request, query), results=[task_model(task) for task in page.items]
    )


@router.get("/{task_id}")
async def get_task(principal: OrganizationReader, task_id: str, tasks: Tasks) -> TaskResponse:
    """A task by id."""
    return task_model(await tasks.get(principal, task_id))


@router.delete("/{task_id}")
async def kill_task(principal: OrganizationDeleter, task_id: str, tasks: Tasks) -> GenericDeleteResponse:
    """Stop a task that runs, with its batch; forget one that is over."""
    await tasks.kill(principal, task_id)
    return GenericDeleteResponse(message="Task stopped")
