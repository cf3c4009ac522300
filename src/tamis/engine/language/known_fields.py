"""What fields documents have, by name and kind, as their values tell: names a language model may be shown."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.instants import instant
from tamis.model.json import JSON

MOST = 200
_LOOKED_AT = 1_000
_DEEPEST = 6
_NAME = re.compile(r"[\w-]{1,60}(\.[\w-]{1,60}){0,5}")
"""A name that says more than a name could be an instruction: it is not shown."""


class FieldKind(StrEnum):
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    BOOLEAN = "boolean"
    ANY = "any"


def known_fields(
    hits: Iterable[Hit], collections: Sequence[Collection] = (), hints: Sequence[str] = ()
) -> dict[str, FieldKind]:
    """The fields of these hits' own documents, by path: hints first, then in the order of their names; at most MOST.

    A field that no document has is known where a collection declares it or a hint names it; its kind is ANY, as is
    that of one with values of several kinds. Names that are none, such as whole sentences, are left out.
    """
    found: dict[str, FieldKind] = {}
    for hit in [*hits][:_LOOKED_AT]:
        own = hit.document.fields if hit.document else {}
        for path, kind in _leaves({**own, **hit.extra}):
            found[path] = kind if found.get(path, kind) is kind else FieldKind.ANY
    for collection in collections:
        declared = collection.output_schema.get("properties")
        for name in declared if isinstance(declared, Mapping) else ():
            if not any(path.startswith(f"{name}.") for path in found):
                found.setdefault(name, FieldKind.ANY)
    first = [canonical_path(hint) for hint in hints]
    names = dict.fromkeys([*first, *sorted(found)])
    shown = [name for name in names if _NAME.fullmatch(name)]
    return {name: found.get(name, FieldKind.ANY) for name in shown[:MOST]}


def of_documents(documents: Iterable[Document]) -> Hits:
    return Hits.of(Hit(one.document_id, 0.0, one) for one in documents)


def _leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, FieldKind]]:
    """Paths with values under them, through objects and through arrays of objects."""
    if isinstance(value, Mapping):
        if depth < _DEEPEST:
            for name, item in value.items():
                yield from _leaves(item, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for item in value[:_LOOKED_AT]:
            yield from _leaves(item, path, depth)
    elif value is not None:
        yield path, _kind(value)


def _kind(value: JSON) -> FieldKind:
    if isinstance(value, bool):
        return FieldKind.BOOLEAN
    if isinstance(value, int | float):
        return FieldKind.NUMBER
    return FieldKind.DATE if isinstance(value, str) and instant(value) is not None else FieldKind.TEXT
