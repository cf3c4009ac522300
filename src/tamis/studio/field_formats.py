"""Values of documents as a published search shows them: by the format that the publisher gave their field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from tamis.model.instants import instant

_LONGEST = 2_000
_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))
_TOKENS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "DD": "%d", "dddd": "%A", "ddd": "%a",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "A": "%p",
}  # fmt: skip
_TOKEN = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)))
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Shown:
    """kind: text, link, image, json or empty.  url: of a link or an image.  is_apart: it opens beside the page.

    ago: of a time that is told by how long ago it was, the count and its unit.
    """

    kind: str
    text: str
    url: str = ""
    is_apart: bool = False
    ago: tuple[int, str] | None = None


def shown(value: Any, config: Mapping[str, Any] | None, now: datetime) -> Shown | None:
    """config: the field's of a display configuration. None where nothing is to be shown."""
    options: Mapping[str, Any] = config["format_options"] if config else {}
    if value is None or value in ("", [], {}):
        return Shown("empty", "–") if config and options["show_empty"] else None
    kind = config["format"] if config else _usual(value)
    return _FORMATS[kind](value, options, now)


def web_address(value: Any) -> str:
    """The value where a browser may follow it: of the web, or a path of this server. Else nothing."""
    text = str(value)
    if not isinstance(value, str) or re.search(r"[\s\\<>\"'`\x00-\x1f]", text):
        return ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return text if host and "@" not in parts.netloc else ""
    return text if not parts.scheme and not parts.netloc and text.startswith("/") and text[1:2] != "/" else ""


def origin_of(address: str) -> str | None:
    """Whom a browser would ask for it, as a policy names him; None where that is this server, or cannot be named."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return None
    return f"{parts.scheme}://{host}{'' if parts.port is None else f':{parts.port}'}"


def _usual(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "text"


def cut(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[:most].rstrip()} …"


def _as_text(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return Shown("text", _around(cut(text, options.get("truncate_chars") or _LONGEST), options))


def _as_number(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _as_text(value, options, now)
    decimals = options.get("decimals")
    text = f"{value:,}" if decimals is None else f"{value:,.{min(decimals, 12)}f}"
    return Shown("text", _around(text, options))


def _as_boolean(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    yes, no = options.get("true_label", "Yes"), options.get("false_label", "No")
    return Shown("text", _around(yes if value not in (False, 0, "false", "no") else no, options))


def _as_date(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    at = instant(value) if isinstance(value, str) else _of_seconds(value)
    if at is None:
        return _as_text(value, options, now)
    pattern = options.get("date_format", "relative")
    if pattern == "relative":
        return Shown("text", f"{at:%d %b %Y}".lstrip("0"), ago=_ago(at, now))
    if pattern in ("iso", "ISO"):
        return Shown("text", at.isoformat().replace("+00:00", "Z"))
    told = at.strftime(_TOKEN.sub(lambda found: _TOKENS[found[0]], pattern.replace("%", "%%")))
    return Shown("text", _around(told, options))


def _as_url(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    address = web_address(value)
    if not address:
        return _as_text(value, options, now)
    text = urlsplit(address).hostname or address if options.get("show_domain") else address
    return Shown(
        "link",
        cut(_around(text, options), options.get("truncate_chars")),
        address,
        options.get("open_in_new_tab", True),
    )


def _as_image(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    address = web_address(value[0] if isinstance(value, list) and value else value)
    return Shown("image", "", address) if address else _as_text(value, options, now)


def _as_array(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _as_text(value, options, now)
    most = options.get("max_items") or len(value)
    texts = [one if isinstance(one, str) else orjson.dumps(one).decode() for one in value[:most]]
    joined = options.get("separator", ", ").join(texts) + (" …" if len(value) > most else "")
    return Shown("text", _around(cut(joined, options.get("truncate_chars") or _LONGEST), options))


def _as_object(value: Any, options: Mapping[str, Any], now: datetime) -> Shown:
    return Shown("json", cut(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), _LONGEST))


_FORMATS = {
    "text": _as_text, "number": _as_number, "boolean": _as_boolean, "date": _as_date, "url": _as_url,
    "image": _as_image, "array": _as_array, "object": _as_object,
}  # fmt: skip


def _around(text: str, options: Mapping[str, Any]) -> str:
    return f"{options.get('prefix') or ''}{text}{options.get('suffix') or ''}"


def _of_seconds(value: Any) -> datetime | None:
    """Seconds since 1970, or milliseconds where seconds would be far from now."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    seconds = value / 1000 if abs(value) > 1e11 else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _ago(at: datetime, now: datetime) -> tuple[int, str]:
    """Less than nothing is to come."""
    seconds = (now - at).total_seconds()
    for unit, length_s in _UNITS:
        if abs(seconds) >= length_s:
            return int(seconds / length_s), unit
    return 0, "minute"
