"""How a request's JSON is read: strictly, so that nothing comes in that could not be kept and given back as it came."""

import json
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from inspect import signature
from itertools import accumulate
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from tamis.api.admission import admitted
from tamis.api.idempotency import answered_once
from tamis.api.versions import versioned
from tamis.errors import BadRequestError

LEVELS = 128
"""How deep a body may nest. Storage and answers take some 250, and an answer wraps what it gives back."""

_LONG_NUMBER = re.compile(rb"\d{19}")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


_UNSAID = {
    name: each.default
    for name, each in signature(APIRoute.__init__).parameters.items()
    if each.default is not each.empty
}
_FOUND_OUT = {"stream_item_type": None}
"""What FastAPI asks a route for that nobody tells it: it finds out where the router is included."""
_CONVERTOR = re.compile(r":\w+}")


class JsonRoute(APIRoute):
    """The class of every route: its request reads JSON by `parse`, and heeds the headers that any route may be sent.

    FastAPI works a route out where its router is included, and answers by that alone. Until then it is kept as it was
    told: worked out here as well, all of them would take a third of a second of a start.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        told = {"path": path, "endpoint": endpoint, **given}
        self.__dict__.update({**_UNSAID, **_FOUND_OUT, **told, "form_limits": given.get("form_limits") or {}})
        self.path_format = _CONVERTOR.sub("}", path)
        self.methods = {method.upper() for method in given.get("methods") or ["GET"]}
        self._given: dict[str, Any] | None = told

    def __getattr__(self, name: str) -> Any:
        """What is not known yet, by who asks for it before the router is included, or never includes it."""
        given = self.__dict__.pop("_given", None)
        if given is None:
            raise AttributeError(name)
        super().__init__(**given)
        return getattr(self, name)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = admitted(self, answered_once(self, versioned(self, super().get_route_handler())))

        async def read_strictly(request: Request) -> Response:
            return await handle(_JsonRequest(request.scope, request.receive))

        return read_strictly


class _JsonRequest(Request):
    async def json(self) -> Any:
        return parse(await self.body())


def parse(body: bytes, levels: int = LEVELS) -> Any:
    """A body's value. levels: how deep it may nest.

    Raises: BadRequestError for NaN and infinities, half characters, too deep nesting; json.JSONDecodeError for what is
    no JSON at all.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequestError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    _check_depth(body, levels)
    value = _value(body, text)
    if "\\ud" in text or "\\uD" in text:
        _check_characters(value)
    return value


def _value(body: bytes, text: str) -> Any:
    """orjson is the fastest, but reads integers beyond 64 bits as floats and says less about what is wrong."""
    if not _LONG_NUMBER.search(body):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(body)
    return json.loads(text, parse_constant=_refuse)


def _check_depth(body: bytes, levels: int) -> None:
    if body.count(b"[") + body.count(b"{") <= levels:
        return
    brackets = _STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > levels:
        raise BadRequestError(f"the body nests deeper than {levels} levels")


def _check_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadRequestError("the body has text that is not Unicode: half of a surrogate pair") from None


def _refuse(name: str) -> Any:
    raise BadRequestError(f"the body is not valid JSON: it has no {name}")
