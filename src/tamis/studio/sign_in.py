"""In by an API key, and out again; and what a person sets for this browser alone."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from tamis.auth.sessions import Sessions
from tamis.errors import BadRequestError, TamisError
from tamis.studio.languages import languages
from tamis.studio.visit import (
    LANGUAGE_COOKIE,
    NAMESPACE_COOKIE,
    SESSION_COOKIE,
    THEME_COOKIE,
    THEMES,
    Visit,
    check_origin,
    moved,
    page,
)

HOME = "/executions"
_YEAR_S = 365 * 86400


async def show(request: Request) -> Response:
    return page(request, "sign_in.html", next=_inside(request.query_params.get("next")), problem=None)


async def sign_in(request: Request) -> Response:
    check_origin(request)
    sessions: Sessions = request.app.state.services[Sessions]
    form = await request.form(max_files=0, max_fields=10)
    target = _inside(str(form.get("next") or ""))
    try:
        cookie = await sessions.begin(str(form.get("key") or "").strip())
    except TamisError as error:
        if error.status not in (401, 403):
            raise
        return page(request, "sign_in.html", error.status, next=target, problem=error.message)
    response = moved(request, target)
    _keep(request, response, SESSION_COOKIE, cookie, sessions.lifetime_s)
    return response


async def sign_out(visit: Visit) -> Response:
    await visit.service(Sessions).end(visit.session, visit.principal)
    response = visit.moved("/sign-in")
    forget(visit.request, response)
    return response


async def choose_namespace(visit: Visit) -> Response:
    wanted = visit.field("namespace")
    if wanted not in [one.namespace_id for one in visit.namespaces]:
        raise BadRequestError("namespace: the id of one that this key sees", field="namespace")
    response = visit.moved(_inside(visit.field("next")))
    remember_namespace(visit.request, response, wanted)
    return response


async def choose_theme(request: Request) -> Response:
    """Open to all: it changes how pages look in this browser, and nothing else."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=10)
    return _chosen(request, form, "theme", THEMES, THEME_COOKIE)


async def choose_language(request: Request) -> Response:
    """Open to all, as the theme is."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=10)
    return _chosen(request, form, "language", tuple(languages()), LANGUAGE_COOKIE)


def _chosen(request: Request, form: FormData, name: str, known: Sequence[str], cookie: str) -> Response:
    value = str(form.get(name))
    if value not in known:
        raise BadRequestError(f"{name}: one of {', '.join(known)}", field=name)
    response = moved(request, _inside(str(form.get("next") or "")))
    _keep(request, response, cookie, value, _YEAR_S)
    return response


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE, secure=_is_secure(request), httponly=True, samesite="strict")


def remember_namespace(request: Request, response: Response, namespace_id: str) -> None:
    _keep(request, response, NAMESPACE_COOKIE, namespace_id, _YEAR_S)


def _keep(request: Request, response: Response, name: str, value: str, max_age_s: int) -> None:
    response.set_cookie(
        name, value, max_age=max_age_s, secure=_is_secure(request), httponly=True, samesite="strict"
    )  # fmt: skip


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _inside(target: str | None) -> str:
    """A path of this server, whatever was sent: nobody is led elsewhere."""
    parts = urlsplit(target or "")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/") and "\\" not in (target or "")
    return f"{parts.path}{'?' + parts.query if parts.query else ''}" if is_ours and parts.path[1:2] != "/" else HOME
