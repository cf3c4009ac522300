"""Where spans go, by OpenTelemetry's own environment variables. Off unless one of them says so.

The SDK is the extra `tamis[otel]` and is imported only once tracing is on; this module alone costs nothing.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tamis import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from tamis.telemetry.tracing import Tracing

_LOG = logging.getLogger("tamis.telemetry")
_GROUP = "opentelemetry_traces_exporter"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


@dataclass(frozen=True, slots=True)
class TracingPlan:
    """exporters: names of entry points; none where tracing is off.  target: where to, for people to read.

    problem: why spans that were asked for will not be made.
    """

    exporters: tuple[str, ...] = ()
    target: str = ""
    problem: str | None = None

    @property
    def is_on(self) -> bool:
        return bool(self.exporters) and self.problem is None


def tracing_plan(environment: Mapping[str, str] = os.environ) -> TracingPlan:
    """What the environment asks for. Unlike OpenTelemetry's default, no variable set means no spans."""
    endpoint = next((environment[name] for name in _ENDPOINTS if environment.get(name)), None)
    asked = environment.get("OTEL_TRACES_EXPORTER", "").strip() or ("otlp" if endpoint else "none")
    names = [name for name in (part.strip() for part in asked.split(",")) if name and name != "none"]
    if not names or environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return TracingPlan()
    if find_spec("opentelemetry.sdk") is None:
        return TracingPlan(tuple(names), problem="traces are asked for: pip install 'tamis[otel]'")
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
    exporters = tuple(_OTLP.get(protocol, f"otlp over {protocol}") if name == "otlp" else name for name in names)
    unknown = [name for name in exporters if not entry_points(group=_GROUP, name=name)]
    if unknown:
        return TracingPlan(exporters, problem=f"no such exporter of traces is installed: {', '.join(unknown)}")
    return TracingPlan(exporters, _target(names, endpoint))


def open_tracing(environment: Mapping[str, str] = os.environ) -> "Tracing | None":
    """None where tracing is off, or cannot be had: then a warning says why, and everything else goes on."""
    plan = tracing_plan(environment)
    if plan.problem:
        _LOG.warning("no traces: %s", plan.problem)
    if not plan.is_on:
        return None
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from tamis.telemetry.tracing import Tracing

    resource = Resource.create({"service.version": __version__})
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "tamis"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in _exporters(plan.exporters):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    _LOG.info("traces go to %s", plan.target)
    return Tracing(provider)


def _exporters(names: tuple[str, ...]) -> Iterator["SpanExporter"]:
    """Each reads its own settings: endpoint, headers, time limit, compression, certificates."""
    for name in names:
        for found in entry_points(group=_GROUP, name=name):
            yield found.load()()


def _target(names: list[str], endpoint: str | None) -> str:
    """The collector's address without what may be secret in it: user, path, query."""
    url = urlsplit(endpoint or "")
    address = f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}" if url.hostname else endpoint
    return ", ".join(f"otlp ({address})" if name == "otlp" and address else name for name in names)
