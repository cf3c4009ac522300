"""What went wrong, as a page that says what to do."""

import logging
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tamis.auth.sessions import Session, Sessions
from tamis.errors import NotFoundError, TamisError, UnauthorizedError
from tamis.studio.security import HEADERS
from tamis.studio.sign_in import forget
from tamis.studio.templating import render
from tamis.studio.visit import SESSION_COOKIE, is_partial, language_of, moved, page

log = logging.getLogger("tamis.studio")


async def on_tamis_error(request: Request, error: Exception) -> Response:
    if isinstance(error, UnauthorizedError):
        return _to_sign_in(request)
    if not isinstance(error, TamisError):
        return await on_crash(request, error)
    if error.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error.message, exc_info=error)
    # In a page, nobody asks what of a request is its body.
    return _shown(request, error.status, error.message.removeprefix("body."))


async def on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if isinstance(error, HTTPException) and isinstance(error.__cause__, TamisError):
        return await on_tamis_error(request, error.__cause__)
    if status == 404:
        return await on_tamis_error(request, NotFoundError(f"there is no page {request.url.path}"))
    return _shown(request, status, error.detail if isinstance(error, HTTPException) else "")


async def on_crash(request: Request, error: Exception) -> Response:
    log.error("%s %s crashed", request.method, request.url.path, exc_info=error)
    return _shown(request, 500, "")


def _to_sign_in(request: Request) -> Response:
    """A link on another site comes without the cookie, which is kept from other sites: the browser asks once more."""
    address = f"{request.url.path}{'?' + request.url.query if request.url.query else ''}"
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        return page(request, "again.html", address=address)
    target = "" if is_partial(request) or request.method != "GET" or address == "/" else f"?next={quote(address)}"
    response = moved(request, f"/sign-in{target}")
    if SESSION_COOKIE in request.cookies:
        forget(request, response)
    return response


def _shown(request: Request, status: int, message: str) -> Response:
    if is_partial(request):
        values = {
            "t": language_of(request),
            "message": message or language_of(request)("error.crash"),
            "status": status,
        }
        # What was to be renewed in place stays as it was; the answer to a change belongs beside its form.
        aside = {"hx-retarget": "#trouble", "hx-reswap": "innerHTML"} if request.method == "GET" else {}
        return HTMLResponse(render("_problem.html", values), status, {**HEADERS, **aside})
    request_id = request.scope.get("request_id")
    return page(
        request, "error.html", status, message=message, request_id=request_id, session=_session(request)
    )  # fmt: skip


def _session(request: Request) -> Session | None:
    """For the way on: whoever is signed in finds the navigation on an error's page, too."""
    sessions: Sessions = request.app.state.services[Sessions]
    try:
        return sessions.open(request.cookies.get(SESSION_COOKIE))
    except UnauthorizedError:
        return None
