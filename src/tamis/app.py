"""The HTTP application: routers, error envelope, limits, request ids. `wiring` opens what they serve."""

import asyncio
import re
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from tamis import __version__
from tamis.api import (
    agent_sessions,
    alerts,
    analytics,
    audit,
    batches,
    blobs,
    bucket_syncs,
    buckets,
    checks,
    cluster_triggers,
    clusters,
    collections,
    credits,
    datasets,
    diffs,
    discovery,
    document_exports,
    document_imports,
    documentation,
    documents,
    engine_analytics,
    evaluations,
    execution_deletes,
    execution_records,
    executions,
    explain,
    exports,
    health,
    index_analytics,
    inference,
    interactions,
    keys,
    lineage,
    manifests,
    metrics,
    namespace_analytics,
    namespace_events,
    namespace_migrations,
    namespaces,
    objects,
    organizations,
    promotion,
    public_retrievers,
    publishing,
    replays,
    resource_analytics,
    resources,
    retrievers,
    rollouts,
    secrets,
    sightings,
    snapshots,
    stages,
    storage_connections,
    tasks,
    taxonomies,
    taxonomy_analytics,
    template_making,
    templates,
    traces,
    triggers,
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
from tamis.api.proxies import Proxies
from tamis.api.schemas.display import read_display
from tamis.api.schemas.error import ErrorResponse
from tamis.api.visitors import PublicOrigins
from tamis.auth.addresses import Addresses
from tamis.services.data.upload_links import PATH as UPLOAD_PATH
from tamis.services.public.public_retrievers import PublicRetrievers
from tamis.studio.entrance import Studio
from tamis.telemetry.watching import Telemetry
from tamis.wiring.system import System

# Asked in this order, so what runs most often comes first. Where two paths could both match, literal ones come before
# identifiers. What is asked before anything else is: at its first request a router is worked out, and all before it.
_ROUTERS = (
    health.router,
    metrics.router,
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
    document_exports.router,
    documents.router,
    lineage.router,
    sightings.router,
    collections.router,
    objects.router,
    batches.router,
    uploads.router,
    blobs.router,
    bucket_syncs.router,
    buckets.router,
    namespace_migrations.router,
    namespaces.router,
    namespace_events.router,
    snapshots.router,
    users.router,
    keys.router,
    usage.router,
    analytics.router,
    engine_analytics.router,
    resource_analytics.router,
    namespace_analytics.router,
    index_analytics.router,
    alerts.router,
    taxonomies.router,
    taxonomy_analytics.router,
    audit.router,
    secrets.router,
    storage_connections.router,
    credits.router,
    webhooks.router,
    agent_sessions.router,
    triggers.router,
    cluster_triggers.router,
    clusters.router,
    organizations.router,
    public_retrievers.router,
    templates.public,
    templates.router,
    template_making.router,
    resources.router,
    manifests.router,
    tasks.router,
    inference.router,
    discovery.router,
    documentation.router,
)
_STREAMED = re.compile(rf"{re.escape(UPLOAD_PATH)}|{re.sub(r'{.*?}', '[^/]+', document_imports.PATH)}$")
"""Paths whose bodies are read as they come."""
_BREATH_S = 0.005
_ERROR_STATUSES = (400, 401, 403, 404, 500)
_ENVELOPE = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
_FAILURE: dict[str, Any] = {"content": _ENVELOPE}
"""Described, not given as a model, of which FastAPI would make a validator for each status of each route at a start."""


def build_app(system: System) -> ASGIApp:
    """The ASGI application over an open system."""
    api = _Api(
        title="Tamis",
        version=__version__,
        description="Multi-stage retrieval for mixed media that keeps the record of every execution.",
        responses={status: _FAILURE for status in _ERROR_STATUSES},
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
    protected = Protection(Correlation(Hosts(answering, system.host_names), system.services[Telemetry]))
    addresses = system.services[Addresses]
    return Proxies(protected, addresses) if addresses.trust_some else protected


class _Api(FastAPI):
    """Its OpenAPI says of every operation that failures answer in the error envelope, listed or not.

    Said among the `responses`, the default would take the place of the 422 that FastAPI adds and the contract has;
    and FastAPI gives an operation's failures the media type of its success.
    """

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            described["components"]["schemas"].update(_schemas_of_failures())
            for methods in described["paths"].values():
                for operation in methods.values():
                    _describe_failures(operation["responses"])
        return cast(dict[str, Any], self.openapi_schema)


def _describe_failures(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if not status.startswith("2") and "content" in response:
            response["content"] = {"application/json": next(iter(response["content"].values()))}
    responses["default"] = {"description": "Any other failure", "content": _ENVELOPE}


def _schemas_of_failures() -> dict[str, Any]:
    """The envelope's schema and those in it, by name."""
    schema = ErrorResponse.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    return {**schema.pop("$defs"), "ErrorResponse": schema}


async def work_out_routes(app: ASGIApp) -> None:
    """What the first requests to what `build_app` made would wait for, router by router between what is served."""
    layers = _layers(app)
    for route in layers[-1].routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "headers": []})
        await asyncio.sleep(_BREATH_S)
    studio = next(layer for layer in layers if isinstance(layer, Studio))
    await asyncio.to_thread(lambda: studio.pages)


def openapi(app: ASGIApp) -> dict[str, Any]:
    """The OpenAPI that `build_app`'s application serves."""
    described: dict[str, Any] = _layers(app)[-1].openapi()
    return described


def _layers(app: ASGIApp) -> list[Any]:
    """From the outermost to the FastAPI application."""
    layers: list[Any] = [app]
    while not isinstance(layers[-1], FastAPI):
        layers.append(layers[-1].app)
    return layers


def openapi_bytes(app: ASGIApp) -> bytes:
    """As `openapi`, written in a fixed order: what is committed as docs/openapi.json."""
    return orjson.dumps(openapi(app), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _operation_id(route: APIRoute) -> str:
    method = min(route.methods or {"GET"}).lower()
    path = route.path_format.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace("-", "_")
    return f"{route.name}_{path}_{method}"


__all__ = ["build_app", "openapi", "openapi_bytes", "work_out_routes"]
