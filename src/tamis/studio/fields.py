"""What people write into forms and addresses, read. Every fault names its field and what would be right."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from tamis.errors import BadRequestError
from tamis.model.instants import instant

_LARGEST = 1e15

E = TypeVar("E", bound=StrEnum)


def number(text: str, name: str, most: float = _LARGEST) -> float | None:
    """From 0; None where nothing was written."""
    try:
        value = float(text) if text else None
    except ValueError:
        value = -1.0
    if value is not None and not 0 <= value <= most:
        raise BadRequestError(f"{name}: a number from 0", field=name)
    return value


def whole(text: str, name: str, least: int = 0, most: int = int(_LARGEST)) -> int | None:
    """None where nothing was written."""
    if not text:
        return None
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else least - 1
    if not least <= value <= most:
        raise BadRequestError(f"{name}: a whole number from {least} to {most}", field=name)
    return value


def json_object(text: str, name: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"{name}: not valid JSON: {error}", field=name) from None
    if not isinstance(value, dict):
        raise BadRequestError(f"{name}: a JSON object", field=name)
    return value


def moment(text: str, name: str) -> datetime | None:
    """A time, or a day's beginning, in UTC; None where nothing was written."""
    found = instant(text) if text else None
    if text and (found is None or not 1970 <= found.year <= 9998):
        raise BadRequestError(f"{name}: a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z", field=name)
    return None if found is None else found.astimezone(UTC)


def day(text: str, name: str) -> date | None:
    found = moment(text, name)
    return None if found is None else found.date()


def choice(text: str, name: str, kind: type[E]) -> E:
    if text not in list(kind):
        raise BadRequestError(f"{name}: one of {', '.join(kind)}", field=name)
    return kind(text)


def choices(texts: Iterable[str], name: str, kind: type[E]) -> tuple[E, ...]:
    return tuple(dict.fromkeys(choice(text, name, kind) for text in texts))


def listed(text: str) -> tuple[str, ...]:
    """Words with commas or line ends between them, each once."""
    words = (word.strip() for line in text.splitlines() for word in line.split(","))
    return tuple(dict.fromkeys(word for word in words if word))
