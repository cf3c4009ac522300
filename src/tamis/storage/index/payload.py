"""What the index keeps of a document's fields: enough to answer filters and facets as `model.matching` would.

A document's view is flattened into paths, exactly the paths that `matching.resolve` would find. Kept for each point:

    d           the document id
    t           terms: 64-bit hashes of (path, kind, value): presence, equality of text, numbers and booleans
    n.<path>    numbers, for ranges; those that the engine would not read back as they are (see `is_wide`) rounded
    i.<path>    texts that are dates or times, as microseconds since 1970, for ranges
    f.<path>    exact values with their type in front, for facets
    l.<path>    the beginning of texts too long to be values

Terms are integers because the engine takes them 4 to 7 times faster than text; two of a million different terms share
a hash with a probability below 1e-7.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from tamis.model.instants import instant
from tamis.model.json import JSON

TEXT_LIMIT = 256
"""Longer texts are no values: only their presence is kept (and their beginning, to order them against a date)."""

PREFIX_LENGTH = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSAFE = re.compile(r"[^A-Za-z0-9_]")
_LARGEST = 1.7976931348623157e308

PRESENT, FOLDED, EXACT, NUMBER, BOOLEAN, PLAIN_TEXT, WIDE = "!", "s", "e", "n", "b", "x", "w"

WIDE_ERROR = 2e-14
"""How far a wide number in `n` may be from what it stands for, relatively; the smallest ones by 1e-300."""


@lru_cache(maxsize=1 << 16)
def term(path: str, kind: str, value: str = "") -> int:
    """The length in front keeps a path that ends like a value apart from a value that begins like a path."""
    text = f"{len(path)}:{path}{kind}{value}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True)


@lru_cache(maxsize=4096)
def key_of(path: str) -> str:
    """A path as one name of the engine's payload; different paths get different names."""
    return _UNSAFE.sub(lambda match: f"-{ord(match[0]):x}-", path) or "-"


def number_text(value: int | float) -> str:
    """Equal numbers have equal texts, 5 and 5.0 too."""
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def flatten(fields: Mapping[str, JSON]) -> dict[str, list[JSON]]:
    """Every path that `matching.resolve` answers, with what it answers there."""
    found: dict[str, list[JSON]] = {}
    for name, value in fields.items():
        if "." not in name:
            _walk(name, value, found)
    for name, value in fields.items():
        if "." in name:
            found[name] = [value]
    return found


def _walk(path: str, value: JSON, found: dict[str, list[JSON]]) -> None:
    found.setdefault(path, []).append(value)
    for item in _objects(value):
        for name, inner in item.items():
            if "." not in name:
                _walk(f"{path}.{name}", inner, found)


def _objects(value: JSON) -> Iterator[Mapping[str, JSON]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _elements(values: list[JSON]) -> Iterator[JSON]:
    for value in values:
        if isinstance(value, list):
            yield from _elements(value)
        elif value is not None:
            yield value


class _Gathered:
    """The parts of one point's payload as they come together."""

    def __init__(self) -> None:
        self.terms: set[int] = set()
        self.parts: dict[str, dict[str, dict[Any, None]]] = {"n": {}, "i": {}, "f": {}, "l": {}}

    def put(self, part: str, path: str, value: float | str) -> None:
        self.parts[part].setdefault(key_of(path), {})[value] = None

    def add(self, path: str, value: JSON) -> None:
        if isinstance(value, str):
            self._text(path, value)
        elif isinstance(value, bool):
            self.terms.add(term(path, BOOLEAN, str(int(value))))
            self.put("f", path, f"b{int(value)}")
        elif isinstance(value, int | float) and math.isfinite(value):
            text = number_text(value)
            self.terms.add(term(path, NUMBER, text))
            self._number(path, as_float(value))
            self.put("f", path, f"n{text}")

    def _number(self, path: str, value: float) -> None:
        if is_wide(value):
            self.terms.add(term(path, WIDE))
            value = float(f"{value:.14e}")
        self.put("n", path, _whole(value))

    def _text(self, path: str, value: str) -> None:
        folded = value.casefold()
        moment = instant(value)
        if moment is None:
            self.terms.add(term(path, PLAIN_TEXT))
        else:
            self.put("i", path, micros(moment))
        if len(folded) > TEXT_LIMIT:
            self.put("l", path, value[:PREFIX_LENGTH])
            return
        self.terms.add(term(path, FOLDED, folded))
        self.terms.add(term(path, EXACT, value))
        self.put("f", path, f"s{value}")


def as_float(value: int | float) -> float:
    """The nearest float; order is kept, beyond its range the largest stands in."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(_LARGEST, value)


def is_wide(value: float) -> bool:
    """Whether the engine, which keeps payloads as JSON, may read a fraction back as one of its neighbours.

    It takes the shortest decimal's digits for a whole number and multiplies or divides that once by a power of ten.
    """
    if value.is_integer() or not math.isfinite(value):
        return False
    digits, _, exponent = repr(abs(value)).partition("e")
    whole, _, part = digits.partition(".")
    power = int(exponent or 0) - len(part)
    scale = float(f"1e{abs(power)}") if abs(power) <= 300 else math.nan
    return (int(whole + part) * scale if power > 0 else int(whole + part) / scale) != abs(value)


def _whole(value: float) -> float | int:
    """Whole numbers as such: the engine reads all of their digits."""
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


def payload(document_id: str, fields: Mapping[str, JSON]) -> dict[str, Any]:
    """Cost: some 2 microseconds a value."""
    gathered = _Gathered()
    for path, values in flatten(fields).items():
        present = False
        for value in _elements(values):
            present = True
            gathered.add(path, value)
        if present:
            gathered.terms.add(term(path, PRESENT))
    kept = {
        part: {key: _plain(list(values)) for key, values in found.items()}
        for part, found in gathered.parts.items()
        if found
    }
    return {"d": document_id, "t": sorted(gathered.terms), **kept}


def _plain(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def value_of(facet: str) -> JSON:
    """What a value of `f.<path>` stands for."""
    kind, text = facet[0], facet[1:]
    if kind == "b":
        return text == "1"
    if kind == "n":
        return float(text) if any(sign in text for sign in ".en") else int(text)
    return text


def facet_order(value: JSON) -> tuple[int, Any]:
    """Values from small to large: false and true, numbers, text."""
    if isinstance(value, bool):
        return 0, value
    return (1, value) if isinstance(value, int | float) else (2, value)


def indexed_keys(kept: Mapping[str, Any]) -> Iterator[str]:
    """Names of the payload fields of one point that want an index of their own."""
    for part in ("n", "i", "f"):
        for key in kept.get(part, ()):
            yield f"{part}.{key}"
