"""The HTTP application: routers, error envelope, limits, request ids. `wiring` opens what they serve."""

import re
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from tamis import __version__
from tamis.api import (
    analytics,
    audit,
    batches,
    blobs,
    buckets,
    checks,
    collections,
    credits,
    datasets,
    diffs,
    discovery,
    document_imports,
    documentation,
    documents,
    evaluations,
    execution_deletes,
    execution_records,
    executions,
    explain,
    exports,
    health,
    inference,
    interactions,
    keys,
    lineage,
    metrics,
    namespaces,
    objects,
    organizations,
    promotion,
    public_retrievers,
    publishing,
    replays,
    retrievers,
    rollouts,
    secrets,
    sightings,
    stages,
    tasks,
    templates,
    traces,
    tuning,
    uploads,
    usage,
    users,
    webhooks,
    why,
)
from tamis.api.correlation import Correlation
from tamis.api.errors import add_error_handlers
from tamis.api.express import Express
from tamis.api.hosts import Hosts
from tamis.api.limits import Limits
from tamis.api.metering import Metering
from tamis.api.protection import Protection
from tamis.api.schemas.display import read_display
from tamis.api.schemas.error import ErrorResponse
from tamis.api.visitors import PublicOrigins
from tamis.services.data.upload_links import PATH as UPLOAD_PATH
from tamis.services.public.public_retrievers import PublicRetrievers
from tamis.studio.application import Studio
from tamis.telemetry.watching import Telemetry
from tamis.wiring.system import System

# Asked in this order, so what runs most often comes first. Where two paths could both match, literal ones come before
# identifiers.
_ROUTERS = (
    executions.router,
    execution_records.router,
    execution_deletes.router,
    traces.router,
    diffs.router,
    exports.router,
    replays.router,
    explain.router,
    why.router,
    promotion.router,
    datasets.router,
    evaluations.router,
    checks.router,
    rollouts.router,
    tuning.router,
    stages.router,
    publishing.router,
    interactions.router,
    retrievers.router,
    document_imports.router,
    documents.router,
    lineage.router,
    sightings.router,
    collections.router,
    objects.router,
    batches.router,
    uploads.router,
    blobs.router,
    buckets.router,
    namespaces.router,
    users.router,
    keys.router,
    usage.router,
    analytics.router,
    audit.router,
    secrets.router,
    credits.router,
    webhooks.router,
    organizations.router,
    public_retrievers.router,
    templates.router,
    tasks.router,
    inference.router,
    discovery.router,
    health.router,
    metrics.router,
    documentation.router,
)
_STREAMED = re.compile(rf"{re.escape(UPLOAD_PATH)}|{re.sub(r'{.*?}', '[^/]+', document_imports.PATH)}$")
"""Paths whose bodies are read as they come."""
_ERROR_STATUSES = (400, 401, 403, 404, 500)


def build_app(system: System) -> ASGIApp:
    """The ASGI application over an open system."""
    api = _Api(
        title="Tamis",
        version=__version__,
        description="Multi-stage retrieval for mixed media that keeps the record of every execution.",
        responses={status: {"model": ErrorResponse} for status in _ERROR_STATUSES},
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=True,
        docs_url=None,
        redoc_url=None,
    )
    api.state.services = system.services
    add_error_handlers(api)
    for router in _ROUTERS:
        api.include_router(router)
    limits = system.limits
    served = Studio(Metering(Express(api, system.services), system.services), system.services, read_display)
    bounded = Limits(served, limits.request_bytes, limits.upload_bytes, _STREAMED)
    answering = PublicOrigins(bounded, system.services[PublicRetrievers])
    return Protection(Correlation(Hosts(answering, system.host_names), system.services[Telemetry]))


class _Api(FastAPI):
    """Its OpenAPI says of every operation that failures answer in the error envelope, listed or not.

    Said among the `responses`, the default would take the place of the 422 that FastAPI adds and the contract has;
    and FastAPI gives an operation's failures the media type of its success.
    """

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            for methods in super().openapi()["paths"].values():
                for operation in methods.values():
                    _describe_failures(operation["responses"])
        return cast(dict[str, Any], self.openapi_schema)


def _describe_failures(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if not status.startswith("2") and "content" in response:
            response["content"] = {"application/json": next(iter(response["content"].values()))}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    responses["default"] = {"description": "Any other failure", "content": content}


def openapi(app: ASGIApp) -> dict[str, Any]:
    """The OpenAPI that `build_app`'s application serves."""
    inner: Any = app
    while isinstance(inner, Protection | Correlation | Hosts | PublicOrigins | Limits | Studio | Metering | Express):
        inner = inner.app
    assert isinstance(inner, FastAPI)  # noqa: S101 - what build_app made
    return inner.openapi()


def openapi_bytes(app: ASGIApp) -> bytes:
    """As `openapi`, written in a fixed order: what is committed as docs/openapi.json."""
    return orjson.dumps(openapi(app), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _operation_id(route: APIRoute) -> str:
    method = min(route.methods or {"GET"}).lower()
    path = route.path_format.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace("-", "_")
    return f"{route.name}_{path}_{method}"


__all__ = ["build_app", "openapi", "openapi_bytes"]
