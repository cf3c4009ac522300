"""Where on a list a page is, and in which namespace what it shows lies."""

from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.studio.sign_in import remember_namespace
from tamis.studio.visit import Visit

LONGEST = 6_000
"""Characters of one text that a page shows, so that it stays small."""
_FURTHEST = 100_000


def placed(visit: Visit, template: str, **values: Any) -> Response:
    """A page of something that lies in one namespace: that one is looked at from then on."""
    response = visit.page(template, **values)
    remember_namespace(visit.request, response, visit.namespace.namespace_id)
    return response


def page_number(visit: Visit, name: str = "page") -> int:
    """From 1. Raises: BadRequestError."""
    page = visit.asked(name, "1")
    if not (page.isascii() and page.isdigit()) or not 1 <= int(page[:9]) <= _FURTHEST:
        raise BadRequestError(f"{name}: a number from 1 to {_FURTHEST}", field=name)
    return int(page[:9])
