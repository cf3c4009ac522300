"""The one place where an error becomes an answer: the contract's envelope."""

import logging
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from tamis.api.log_paths import logged
from tamis.api.unbuilt import is_unbuilt, reason
from tamis.engine.ports.rates import whole_seconds
from tamis.errors import (
    BadRequestError,
    InProgressError,
    NotBuiltError,
    NotFoundError,
    PreconditionFailedError,
    TamisError,
    TooManyRequestsError,
    ValidationError,
)

log = logging.getLogger("tamis.api")

_PASSING = (503, 507)
_INTERNAL = "Tamis failed on this request; the log has it under this request id"


def envelope(status: int, code: str, message: str, details: dict[str, Any], **more: Any) -> Response:
    body = {
        "success": False,
        "status": status,
        "error": {"message": message, "type": code, "details": details or None},
        **more,
    }
    return Response(orjson.dumps(body, default=str), status_code=status, media_type="application/json")


def render(error: TamisError) -> Response:
    """A 422 carries the top-level `detail` list too, so that both of the contract's readings of it hold."""
    if isinstance(error, ValidationError):
        details = {**error.details, "validation_errors": error.problems}
        return envelope(error.status, error.code, error.message, details, detail=error.problems)
    more = {"detail": [{"loc": ["body"], "msg": error.message, "type": error.code}]} if error.status == 422 else {}
    response = envelope(error.status, error.code, error.message, error.details, **more)
    if isinstance(error, TooManyRequestsError):
        response.headers["Retry-After"] = str(whole_seconds(error.retry_after_s))
    elif error.status in _PASSING or isinstance(error, InProgressError):
        response.headers["Retry-After"] = str(error.details.get("retry_after", 1))
    if isinstance(error, PreconditionFailedError):
        response.headers["ETag"] = error.details["current_etag"]
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _problem(fault: dict[str, Any]) -> dict[str, Any]:
    return {"loc": list(fault["loc"]), "msg": fault["msg"], "type": fault["type"]}


async def _on_tamis_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TamisError)  # noqa: S101 - the handler is registered for this class
    if error.status >= 500 and not isinstance(error, NotBuiltError):
        error.details.setdefault("request_id", request.scope.get("request_id"))
        # Where only waiting helps, a traceback for each request would bury what else the log has.
        trace = None if error.status in _PASSING else error
        log.error("%s %s: %s", request.method, logged(request.url.path), _with_cause(error), exc_info=trace)
    return render(error)


def _with_cause(error: TamisError) -> str:
    cause = error.__cause__
    return error.message if cause is None else f"{error.message} ({' '.join(str(cause).split())})"


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the handler is registered for this class
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return render(BadRequestError("the body is not valid JSON", validation_errors=[_problem(f) for f in faults]))
    problems = [_problem(fault) for fault in faults]
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"])
    return render(ValidationError(f"{where}: {first['msg']}", problems=problems))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for this class
    path = request.url.path
    if isinstance(error.__cause__, TamisError):
        return render(error.__cause__)
    if error.status_code in (404, 405):
        if is_unbuilt(request.method, path):
            return render(NotBuiltError(reason(request.method, path)))
        if error.status_code == 404:
            return render(NotFoundError(f"no such path: {path}", path=path))
    return envelope(error.status_code, "BadRequestError", str(error.detail), {"path": path})


async def _on_crash(request: Request, error: Exception) -> Response:
    log.error("%s %s crashed", request.method, logged(request.url.path), exc_info=error)
    return envelope(500, "InternalServerError", _INTERNAL, {"request_id": request.scope.get("request_id")})


def told(error: BaseException) -> tuple[int, dict[str, Any]]:
    """The status and the `error` of the envelope that a route would answer with, logged where it would be."""
    if not isinstance(error, TamisError):
        log.error("an execution crashed", exc_info=error)
        return 500, {"message": _INTERNAL, "type": "InternalServerError", "details": None}
    if error.status >= 500:
        log.error("an execution failed: %s", error.message, exc_info=error)
    details = {**error.details, "validation_errors": error.problems} if isinstance(error, ValidationError) else None
    return error.status, {"message": error.message, "type": error.code, "details": details or error.details or None}


async def answer_to(request: Request, error: Exception) -> Response:
    """The answer to what a route raised."""
    return await (_on_tamis_error if isinstance(error, TamisError) else _on_crash)(request, error)


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(TamisError, _on_tamis_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_crash)
