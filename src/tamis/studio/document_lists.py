"""The documents of a collection as a list: searched, filtered, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from tamis.errors import BadRequestError
from tamis.model.document import Document
from tamis.services.data.collection_design import properties_of
from tamis.services.data.collections import CollectionDetails
from tamis.services.data.documents import DocumentService
from tamis.services.listing import build_query
from tamis.studio.faces import Face, Faces
from tamis.studio.lineage import where_of
from tamis.studio.places import page_number
from tamis.studio.visit import Visit

PAGE_SIZE = 20
OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts_with", "exists", "is_null")
_WITHOUT_VALUE = ("exists", "is_null")
_TEXTS = ("contains", "starts_with")
_TYPED = 20_000
"""Larger collections are searched when asked for, and not at each letter."""
_SYSTEM = ("root_object_id", "source_document_id", "document_id")
_MOST_CONDITIONS = 10


@dataclass(frozen=True, slots=True)
class Row:
    document: Document
    face: Face
    where: str
    has_vectors: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """without: the list's address, less this condition."""

    field: str
    operator: str
    value: str
    without: str


async def listed(visit: Visit, details: CollectionDetails) -> dict[str, Any]:
    """Raises: BadRequestError, ValidationError naming the part of the address."""
    collection = details.collection
    text, page, triples = visit.asked("text"), page_number(visit), _triples(visit)
    filters = {"AND": [_condition(*one) for one in triples]} if triples else None
    query = build_query(filters, text, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    found = await visit.service(DocumentService).list(visit.principal, collection.collection_id, query)
    faces = Faces.of(visit)
    here = f"/data/collections/{collection.collection_id}"
    return {
        "documents": found,
        "rows": [
            Row(one.document, faces.document(one.document), where_of(one.document), one.has_vectors)
            for one in found.items
        ],
        "here": here,
        "to": _address(here, text, triples),
        "text": text,
        "conditions": [
            Condition(*one, _address(here, text, [other for other in triples if other != one])) for one in triples
        ],
        "fields": [*properties_of(collection.output_schema), *_SYSTEM],
        "operators": OPERATORS,
        "searches_while_typing": details.document_count <= _TYPED,
        "page_no": page,
        "page_size": PAGE_SIZE,
    }


def _triples(visit: Visit) -> list[tuple[str, str, str]]:
    """(field, operator, value) of each condition, each once."""
    params = visit.request.query_params
    lists = [params.getlist(name) for name in ("field", "op", "value")]
    if len({len(one) for one in lists}) != 1 or len(lists[0]) > _MOST_CONDITIONS + 1:
        raise BadRequestError(f"field, op, value: as often each, up to {_MOST_CONDITIONS} times", field="field")
    triples = [(field.strip(), operator, value.strip()) for field, operator, value in zip(*lists, strict=True)]
    for field, operator, _ in triples:
        if field and operator not in OPERATORS:
            raise BadRequestError(f"op: one of {', '.join(OPERATORS)}", field="op")
    return list(dict.fromkeys(one for one in triples if one[0]))


def _condition(field: str, operator: str, value: str) -> Mapping[str, Any]:
    if operator in _WITHOUT_VALUE:
        return {"field": field, "operator": operator, "value": value != "false"}
    return {"field": field, "operator": operator, "value": value if operator in _TEXTS else _value(value)}


def _value(text: str) -> Any:
    """A number, true or false where it is written so; quotes keep it a text."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, str | int | float | bool) else text


def _address(here: str, text: str, triples: Sequence[tuple[str, str, str]]) -> str:
    pairs = [("text", text)] if text else []
    for field, operator, value in triples:
        pairs += [("field", field), ("op", operator), ("value", value)]
    return f"{here}?{urlencode(pairs)}"
