"""What the index keeps of a document's fields: enough to answer filters and facets as `model.matching` would.

A document's view is flattened into paths, exactly the paths that `matching.resolve` would find. Kept for each point:

    d           the document id
    t           terms: 64-bit hashes of (path, kind, value): presence, equality of text, numbers and booleans
    n-<path>    numbers, for ranges; those that the engine would not read back as they are (see `is_wide`) rounded
    i-<path>    texts that are dates or times, as microseconds since 1970, for ranges
    f-<path>    exact values with their type in front, for facets
    l-<path>    the beginning of texts too long to be values

Terms are the words of one text, hexadecimal, and no part is nested, for a point costs what its values cost in
the engine's binding: 2.5 microseconds a text, whatever its length, 1 a number, 4 a list or an object. Two of a million
different terms share a hash with a probability below 1e-7.
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
_INDEXED_PARTS = frozenset({"n-", "i-", "f-"})
_UNSAFE = re.compile(r"[^A-Za-z0-9_]")
_SCALARS = frozenset({str, int, float, bool, type(None)})
_LARGEST = 1.7976931348623157e308

PRESENT, FOLDED, EXACT, NUMBER, BOOLEAN, PLAIN_TEXT, WIDE = "!", "s", "e", "n", "b", "x", "w"

WIDE_ERROR = 2e-14
"""How far a wide number in `n` may be from what it stands for, relatively; the smallest ones by 1e-300."""


@lru_cache(maxsize=1 << 12)
def term(path: str, kind: str, value: str = "") -> str:
    """The length in front keeps a path that ends like a value apart from a value that begins like a path."""
    return _hash(path, kind, value)


def _hash(path: str, kind: str, value: str) -> str:
    text = f"{len(path)}:{path}{kind}{value}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


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
    if type(value) in _SCALARS:
        return
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
        self.terms: set[str] = set()
        self.parts: dict[str, dict[Any, None]] = {}

    def add(self, path: str, value: JSON) -> None:
        if isinstance(value, str):
            held = _of_text(path, value) if len(value) <= TEXT_LIMIT else _of_text.__wrapped__(path, value)
        elif isinstance(value, bool | int | float):
            held = _of_number(path, value)
        else:
            return
        terms, parts = held
        self.terms.update(terms)
        for key, kept in parts:
            self.parts.setdefault(key, {})[kept] = None


_Held = tuple[tuple[str, ...], tuple[tuple[str, float | str], ...]]
"""(terms, (name, value) of each part)"""


@lru_cache(maxsize=1 << 12)
def _of_text(path: str, value: str) -> _Held:
    key, folded = key_of(path), value.casefold()
    moment = instant(value)
    terms: tuple[str, ...] = (term(path, PLAIN_TEXT),) if moment is None else ()
    parts: tuple[tuple[str, float | str], ...] = () if moment is None else ((f"i-{key}", micros(moment)),)
    if len(folded) > TEXT_LIMIT:
        return terms, (*parts, (f"l-{key}", value[:PREFIX_LENGTH]))
    return (*terms, _hash(path, FOLDED, folded), _hash(path, EXACT, value)), (*parts, (f"f-{key}", f"s{value}"))


@lru_cache(maxsize=1 << 12, typed=True)
def _of_number(path: str, value: bool | int | float) -> _Held:
    key = key_of(path)
    if isinstance(value, bool):
        return (_hash(path, BOOLEAN, str(int(value))),), ((f"f-{key}", f"b{int(value)}"),)
    if not math.isfinite(value):
        return (), ()
    text, number = number_text(value), as_float(value)
    terms: tuple[str, ...] = (_hash(path, NUMBER, text),)
    if is_wide(number):
        terms, number = (*terms, term(path, WIDE)), float(f"{number:.14e}")
    return terms, ((f"n-{key}", _whole(number)), (f"f-{key}", f"n{text}"))


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
    """Cost: 1 microsecond a value that came lately, 8 another one."""
    gathered = _Gathered()
    for path, values in flatten(fields).items():
        present = False
        for value in values if len(values) == 1 and type(values[0]) in _SCALARS else _elements(values):
            if value is not None:
                present = True
                gathered.add(path, value)
        if present:
            gathered.terms.add(term(path, PRESENT))
    kept = {name: _plain(list(values)) for name, values in gathered.parts.items()}
    return {"d": document_id, "t": " ".join(sorted(gathered.terms)), **kept}


def _plain(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def value_of(facet: str) -> JSON:
    """What a value of `f-<path>` stands for."""
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
    return (name for name in kept if name[:2] in _INDEXED_PARTS)
