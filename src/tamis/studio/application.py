"""The studio's routes: which address shows which page."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tamis.errors import TamisError
from tamis.model.principal import Permission
from tamis.services.public.publishing import PAGE_PATH
from tamis.studio import (
    analytics,
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
    published,
    publishing,
    retrievers,
    rollouts,
    secrets,
    sign_in,
    usage,
    users,
)
from tamis.studio.automation_routes import automation_routes
from tamis.studio.data_routes import data_routes
from tamis.studio.entrance import ReadDisplay
from tamis.studio.routes import changes, rules, searches, shows, writes


def build_studio(services: Mapping[type[Any], Any], read_display: ReadDisplay) -> Starlette:
    """read_display: checks a display configuration and fills in what it leaves out."""
    made = Starlette(
        routes=_routes(),
        exception_handlers={
            TamisError: failures.on_tamis_error,
            HTTPException: failures.on_http_error,
            Exception: failures.on_crash,
        },
    )
    made.state.services = services
    made.state.read_display = read_display
    return made


def _routes() -> list[Route]:
    return [
        Route("/", _home),
        Route(assets.PREFIX + "{name}", assets.serve),
        Route("/studio/theme", sign_in.choose_theme, methods=["POST"]),
        Route("/studio/language", sign_in.choose_language, methods=["POST"]),
        changes("/studio/namespace", sign_in.choose_namespace),
        Route("/sign-in", sign_in.show),
        Route("/sign-in", sign_in.sign_in, methods=["POST"]),
        changes("/sign-out", sign_in.sign_out),
        *_executions(),
        *_playground(),
        *data_routes(),
        *_retrievers(),
        *automation_routes(),
        *_analytics(),
        *_settings(),
        *_published(),
    ]


def _executions() -> list[Route]:
    return [
        shows("/executions", executions.show),
        shows("/executions/charts", executions.charts),
        shows("/executions/{execution_id}", execution.show),
        shows("/executions/{execution_id}/export", execution_actions.export),
        shows("/executions/{execution_id}/code", execution_actions.code),
        searches("/executions/{execution_id}/why", execution_actions.why),
        searches("/executions/{execution_id}/again", execution_actions.run_again),
        searches("/executions/{execution_id}/replay", execution_actions.replay),
        writes("/executions/{execution_id}/save", execution_actions.save),
        writes("/executions/{execution_id}/evaluate", execution_actions.evaluate),
        shows("/compare", compare.show),
    ]


def _playground() -> list[Route]:
    return [
        shows("/playground", playground.show),
        shows("/playground/stage", playground.stage),
        shows("/playground/outcome", execution.outcome),
        changes("/playground/pipeline", playground.pipeline),
        changes("/playground/json", playground.written),
        searches("/playground/plan", playground.plan),
        searches("/playground/run", playground.run),
        writes("/playground/save", playground.save),
    ]


def _analytics() -> list[Route]:
    return [
        shows("/analytics", analytics.overview),
        shows("/analytics/fields", analytics.by_field),
        writes("/analytics/fields/index", analytics.make_index),
        shows("/analytics/stages", analytics.by_stage),
        shows("/analytics/slow", analytics.slowest),
    ]


def _settings() -> list[Route]:
    return [
        shows("/settings", organizations.show),
        rules("/settings/name", organizations.rename),
        rules("/settings/rates", organizations.change_rates),
        shows("/settings/keys", keys.show),
        shows("/settings/keys/{key_id}", keys.detail),
        rules("/settings/keys", keys.create),
        rules("/settings/keys/{key_id}/rotate", keys.rotate),
        rules("/settings/keys/{key_id}/revoke", keys.revoke),
        shows("/settings/users", users.show),
        shows("/settings/users/{user_id}", users.detail),
        rules("/settings/users", users.create),
        rules("/settings/users/{user_id}", users.change),
        rules("/settings/users/{user_id}/delete", users.delete),
        shows("/settings/usage", usage.show),
        shows("/settings/credits", credits.show),
        rules("/settings/credits", credits.give),
        rules("/settings/credits/caps", credits.change_caps),
        shows("/settings/audit", audit.show),
        rules("/settings/audit", audit.change_settings),
        shows("/settings/secrets", secrets.show),
        rules("/settings/secrets", secrets.put),
        rules("/settings/secrets/{name}/delete", secrets.delete),
    ]


def _retrievers() -> list[Route]:
    here = "/retrievers/{retriever_id}"
    return [
        shows("/retrievers", retrievers.show),
        shows(here, retrievers.detail),
        changes(f"{here}/delete", retrievers.delete, Permission.DELETE),
        shows(f"{here}/rollout", rollouts.show),
        writes(f"{here}/rollout", rollouts.start),
        writes(f"{here}/rollout/promote", rollouts.promote),
        writes(f"{here}/rollout/roll-back", rollouts.roll_back),
        shows(f"{here}/publish", publishing.show),
        shows(f"{here}/publish/name", publishing.availability),
        writes(f"{here}/publish", publishing.publish),
        writes(f"{here}/publish/change", publishing.change),
        changes(f"{here}/unpublish", publishing.unpublish, Permission.DELETE),
    ]


def _published() -> list[Route]:
    """For everybody: no session is asked for."""
    here = f"{PAGE_PATH}/{{name}}"
    return [
        Route(here, published.public(published.show)),
        Route(here, published.public(published.search_by_file), methods=["POST"]),
        Route(f"{here}/unlock", published.public(published.unlock), methods=["POST"]),
        Route(f"{here}/tell", published.public(published.tell), methods=["POST"]),
        Route(f"{here}/theme.css", published.public(published.theme)),
        Route(f"{here}/embed.js", published.public(published.embed)),
    ]


async def _home(request: Request) -> Response:
    return RedirectResponse(sign_in.HOME, 303)
