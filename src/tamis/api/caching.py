"""What an answer says of caches: `X-Cache`, `Cache-Control`, `ETag`, and 304 to who has it already."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from fastapi import Request, Response

from tamis.api.answers import json_response, written
from tamis.services.runs.execution_runs import AnswerCaching, Executed

_TAG_BYTES = 16
_OF_ONE_EXECUTION = frozenset({"next_cursor", "scroll_id", "after"})
"""Tokens name the execution that gave them: two equal answers differ in them."""


def cached_response(
    request: Request, executed: Executed, shown: dict[str, Any], headers: Mapping[str, str]
) -> Response:
    """The answer with what clients may do with it; empty, with 304, where `If-None-Match` has its tag."""
    tag = _tag(shown)
    told = {**headers, "ETag": tag, **(_told(executed.cache) if executed.cache else {})}
    if _has(",".join(request.headers.getlist("if-none-match")), tag):
        return Response(status_code=304, headers={**told, "X-Execution-Id": executed.execution_id})
    return json_response(shown, told)


def asks_for_changes(request: Request) -> bool:
    return any(name == b"if-none-match" for name, _ in request.scope["headers"])


def _told(cache: AnswerCaching) -> dict[str, str]:
    """Kept for so long, but asked for each time: a write is seen by the next who reads, through any cache between."""
    return {"X-Cache": cache.state.value, "Cache-Control": f"private, no-cache, max-age={int(cache.ttl_s)}"}


def _tag(shown: dict[str, Any]) -> str:
    """Of what was found, weak: ids and times of the execution differ each time."""
    pages = {name: value for name, value in shown["pagination"].items() if name not in _OF_ONE_EXECUTION}
    content = written([shown["documents"], pages, shown["status"], "results" in shown])
    return f'W/"{blake2b(content, digest_size=_TAG_BYTES).hexdigest()}"'


def _has(tags: str, tag: str) -> bool:
    """RFC 9110, 13.1.2: by weak comparison."""
    given = {one.strip().removeprefix("W/") for one in tags.split(",")}
    return "*" in given or tag.removeprefix("W/") in given
