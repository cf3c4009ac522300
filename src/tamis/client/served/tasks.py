# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `tasks`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_tasks import ListTasksRequest, ListTasksResponse, TaskResponse


class Tasks(Noun):
    def list(self, **body: Unpack[ListTasksRequest]) -> ListTasksResponse:
        """Tasks, newest first where no order is asked for."""
        return self._ask(Call("POST", "/tasks/list", body=body, is_reading=True))

    def kill(self, task_id: str) -> GenericDeleteResponse:
        """Stop a task that runs, with its batch; forget one that is over."""
        return self._ask(Call("DELETE", f"/tasks/{part(task_id)}"))

    def get(self, task_id: str) -> TaskResponse:
        """A task by id."""
        return self._ask(Call("GET", f"/tasks/{part(task_id)}"))


class AsyncTasks(AsyncNoun):
    async def list(self, **body: Unpack[ListTasksRequest]) -> ListTasksResponse:
        """Tasks, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/tasks/list", body=body, is_reading=True))

    async def kill(self, task_id: str) -> GenericDeleteResponse:
        """Stop a task that runs, with its batch; forget one that is over."""
        return await self._ask(Call("DELETE", f"/tasks/{part(task_id)}"))

    async def get(self, task_id: str) -> TaskResponse:
        """A task by id."""
        return await self._ask(Call("GET", f"/tasks/{part(task_id)}"))
