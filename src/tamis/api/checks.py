"""Versions of retrievers, and whether one may take another's place."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Reader, RetrieverReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.departure import while_connected
from tamis.api.schemas.check import (
    CheckRequest,
    CheckResponse,
    RetrieverVersionsResponse,
    show_check,
    show_versions,
)
from tamis.services.learning.checks import CheckService
from tamis.services.runs.retrievers import RetrieverService

router = APIRouter(prefix="/v1/retrievers", tags=["retrievers"], route_class=JsonRoute)

Checks = Annotated[CheckService, Depends(service(CheckService))]
Retrievers = Annotated[RetrieverService, Depends(service(RetrieverService))]


@router.get("/{retriever_id}/versions")
async def list_retriever_versions(
    principal: RetrieverReader, retriever_id: str, retrievers: Retrievers
) -> RetrieverVersionsResponse:
    """What it runs and what it ran before, newest first."""
    found = await retrievers.get(principal, retriever_id)
    return show_versions(found, [*await retrievers.versions(principal, found.retriever_id)])


@router.post("/{retriever_id}/check")
async def check_retriever(
    principal: Reader, request: Request, retriever_id: str, checks: Checks, body: CheckRequest | None = None
) -> CheckResponse:
    """Ask two versions what was last asked, on today's data and without effects, and say what became worse.

    No record is written, nothing is charged. A stage that reaches outside or spends is answered from the record."""
    asked = body or CheckRequest()
    baseline = (retriever_id, asked.baseline_version)
    candidate = (asked.candidate or retriever_id, asked.candidate_version)
    work = checks.check(principal, baseline, candidate, asked.last, asked.limits())
    return show_check(await while_connected(request, work))
