"""The studio's routes: which address shows which page."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tamis.errors import TamisError
from tamis.model.limits import OperationKind
from tamis.model.principal import Permission
from tamis.studio import (
    assets,
    audit,
    compare,
    credits,
    execution,
    execution_actions,
    executions,
    failures,
    keys,
    organizations,
    playground,
    secrets,
    sign_in,
    usage,
    users,
)
from tamis.studio.visit import Handler, signed_in

_SEGMENTS = frozenset({"", "studio", "sign-in", "sign-out", "executions", "compare", "playground", "settings"})
"""The first part of every address that is the studio's."""


class Studio:
    """Plain ASGI before the API: pages are told apart by the first part of their path."""

    def __init__(self, app: ASGIApp, services: Mapping[type[Any], Any]) -> None:
        self.app = app
        self._pages = build_studio(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        is_page = scope["type"] == "http" and path[1:].partition("/")[0] in _SEGMENTS
        await (self._pages if is_page else self.app)(scope, receive, send)


def build_studio(services: Mapping[type[Any], Any]) -> Starlette:
    made = Starlette(
        routes=_routes(),
        exception_handlers={
            TamisError: failures.on_tamis_error,
            HTTPException: failures.on_http_error,
            Exception: failures.on_crash,
        },
    )
    made.state.services = services
    return made


def _routes() -> list[Route]:
    return [
        Route("/", _home),
        Route(assets.PREFIX + "{name}", assets.serve),
        Route("/studio/theme", sign_in.choose_theme, methods=["POST"]),
        _change("/studio/namespace", sign_in.choose_namespace),
        Route("/sign-in", sign_in.show),
        Route("/sign-in", sign_in.sign_in, methods=["POST"]),
        _change("/sign-out", sign_in.sign_out),
        *_executions(),
        *_playground(),
        *_settings(),
    ]


def _executions() -> list[Route]:
    return [
        _page("/executions", executions.show),
        _page("/executions/charts", executions.charts),
        _page("/executions/{execution_id}", execution.show),
        _page("/executions/{execution_id}/export", execution_actions.export),
        _page("/executions/{execution_id}/code", execution_actions.code),
        _search("/executions/{execution_id}/why", execution_actions.why),
        _search("/executions/{execution_id}/again", execution_actions.run_again),
        _search("/executions/{execution_id}/replay", execution_actions.replay),
        _change("/executions/{execution_id}/save", execution_actions.save, Permission.WRITE),
        _change("/executions/{execution_id}/evaluate", execution_actions.evaluate, Permission.WRITE),
        _page("/compare", compare.show),
    ]


def _playground() -> list[Route]:
    return [
        _page("/playground", playground.show),
        _page("/playground/stage", playground.stage),
        _page("/playground/outcome", execution.outcome),
        _change("/playground/pipeline", playground.pipeline),
        _change("/playground/json", playground.written),
        _search("/playground/plan", playground.plan),
        _search("/playground/run", playground.run),
        _change("/playground/save", playground.save, Permission.WRITE),
    ]


def _settings() -> list[Route]:
    return [
        _page("/settings", organizations.show),
        _rule("/settings/name", organizations.rename),
        _rule("/settings/rates", organizations.change_rates),
        _page("/settings/keys", keys.show),
        _page("/settings/keys/{key_id}", keys.detail),
        _rule("/settings/keys", keys.create),
        _rule("/settings/keys/{key_id}/rotate", keys.rotate),
        _rule("/settings/keys/{key_id}/revoke", keys.revoke),
        _page("/settings/users", users.show),
        _page("/settings/users/{user_id}", users.detail),
        _rule("/settings/users", users.create),
        _rule("/settings/users/{user_id}", users.change),
        _rule("/settings/users/{user_id}/delete", users.delete),
        _page("/settings/usage", usage.show),
        _page("/settings/credits", credits.show),
        _rule("/settings/credits", credits.give),
        _rule("/settings/credits/caps", credits.change_caps),
        _page("/settings/audit", audit.show),
        _rule("/settings/audit", audit.change_settings),
        _page("/settings/secrets", secrets.show),
        _rule("/settings/secrets", secrets.put),
        _rule("/settings/secrets/{name}/delete", secrets.delete),
    ]


def _page(path: str, handler: Handler) -> Route:
    return Route(path, signed_in(handler))


def _change(
    path: str, handler: Handler, permission: Permission = Permission.READ, kind: OperationKind = OperationKind.DATA
) -> Route:
    return Route(path, signed_in(handler, permission, kind), methods=["POST"])


def _search(path: str, handler: Handler) -> Route:
    """What runs a pipeline, or tries one out."""
    return _change(path, handler, kind=OperationKind.SEARCH)


def _rule(path: str, handler: Handler) -> Route:
    """A change of the organisation itself, for its administrators."""
    return _change(path, handler, Permission.ADMIN, OperationKind.METADATA)


async def _home(request: Request) -> Response:
    return RedirectResponse(sign_in.HOME, 303)
