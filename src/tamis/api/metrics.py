"""Metrics for a Prometheus scraper. Not part of the contract, so beside it: `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from tamis.api.access import service
from tamis.api.bodies import JsonRoute
from tamis.telemetry.page import MetricsPage

router = APIRouter(route_class=JsonRoute)


@router.get("/metrics", include_in_schema=False)
async def read_metrics(
    page: Annotated[MetricsPage, Depends(service(MetricsPage))],
    authorization: Annotated[str | None, Header()] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Counters, histograms and gauges of the whole server; no label names a tenant."""
    text, content_type = await page.read(authorization, accept)
    return Response(text, headers={"content-type": content_type, "cache-control": "no-store"})
