"""Before the API: what asks for a page goes to the studio, which is imported for the first of them."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

ReadDisplay = Callable[[Mapping[str, Any]], dict[str, Any]]

_SEGMENTS = frozenset(
    {
        "",
        "studio",
        "sign-in",
        "sign-out",
        "executions",
        "compare",
        "playground",
        "data",
        "retrievers",
        "automation",
        "analytics",
        "settings",
        "p",
    }
)
"""The first part of every address that is the studio's."""


class Studio:
    """Plain ASGI: pages are told apart by the first part of their path."""

    def __init__(self, app: ASGIApp, services: Mapping[type[Any], Any], read_display: ReadDisplay) -> None:
        self.app = app
        self._services = services
        self._read_display = read_display

    @cached_property
    def pages(self) -> ASGIApp:
        """Made once, in a few hundredths of a second."""
        from tamis.studio.application import build_studio

        return build_studio(self._services, self._read_display)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        is_page = scope["type"] == "http" and path[1:].partition("/")[0] in _SEGMENTS
        await (self.pages if is_page else self.app)(scope, receive, send)
