"""Who asked for what: each request counted under its key and its endpoint once it is answered."""

import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from tamis.api.correlation import STATUS
from tamis.engine.auditing import event_of
from tamis.model.principal import Principal
from tamis.services.access.audit import AuditService
from tamis.services.access.usage import UsageMeter

PRINCIPAL = "tamis.principal"
ENDPOINT = "tamis.endpoint"
"""Where in a request's scope stand who asks, and for what where no route of the framework was asked."""

_READ = {
    ("GET", "/v1/namespaces/{namespace_identifier}"): ("namespace", "accessed", "namespace_identifier"),
    ("GET", "/v1/buckets/{bucket_identifier}"): ("bucket", "accessed", "bucket_identifier"),
    ("GET", "/v1/collections/{collection_identifier}"): ("collection", "accessed", "collection_identifier"),
    ("GET", "/v1/retrievers/{retriever_id}"): ("retriever", "accessed", "retriever_id"),
    ("POST", "/v1/retrievers/{retriever_id}/execute"): ("retriever", "queried", "retriever_id"),
}
"""What is noted where reading is: kind, what was done, and the path parameter that names it."""


class Metering:
    """Plain ASGI, because it runs on every request; inside of `Correlation`, which knows how it was answered."""

    def __init__(self, app: ASGIApp, services: Mapping[type[Any], Any]) -> None:
        self.app = app
        self._meter: UsageMeter = services[UsageMeter]
        self._audit: AuditService = services[AuditService]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter_ns()
        try:
            await self.app(scope, receive, send)
        finally:
            principal: Principal | None = scope.get(PRINCIPAL)
            if principal is not None and principal.key_id:
                self._count(scope, principal, scope.get(STATUS, 0), (time.perf_counter_ns() - began) // 1000)

    def _count(self, scope: Scope, principal: Principal, status: int, duration_us: int) -> None:
        template = scope.get(ENDPOINT) or getattr(scope.get("route"), "path_format", None)
        if template is None:
            return
        failed = not 0 < status < 400
        self._meter.count(principal, f"{scope['method']} {template}", failed, duration_us)
        if not failed and self._audit.notes_reads(principal):
            self._note(scope, principal, template)

    def _note(self, scope: Scope, principal: Principal, template: str) -> None:
        read = _READ.get((scope["method"], template))
        if read is not None:
            kind, what, parameter = read
            identifier = scope.get("path_params", {}).get(parameter) or scope["path"].split("/")[3]
            self._meter.note_read(principal, event_of(principal, kind, identifier, what, {}))
