"""What of a published retriever leaves: the exposed fields of its documents, and nothing else of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tamis.model.filters import canonical_path
from tamis.model.hits import Hit
from tamis.model.json import JSON

_OURS = "blob://"
_FILES = "document_blobs"

Link = Callable[[str, str | None, str | None], str | None]
"""A link to a stored file by its URL, content type and name; None where there is none to be had."""


def exposed(hits: Iterable[Hit], fields: Sequence[str], link: Link) -> list[dict[str, JSON]]:
    """Each hit as a visitor sees it: its id, its score, the fields by their paths. A stored file is a link to it."""
    paths = [canonical_path(name).split(".") for name in fields]
    return [_exposed(hit, paths, link) for hit in hits]


def _exposed(hit: Hit, paths: Sequence[Sequence[str]], link: Link) -> dict[str, JSON]:
    own: Mapping[str, Any] = {**(hit.document.fields if hit.document else {}), **hit.extra}
    shown: dict[str, JSON] = {}
    for path in paths:
        if path == [_FILES]:
            shown[_FILES] = _files(hit, link)
        else:
            _copy(own, shown, path)
    linked: dict[str, JSON] = {name: _linked(value, link) for name, value in shown.items()}
    return {**linked, "document_id": hit.id, "score": hit.score}


def _copy(source: Mapping[str, Any], target: dict[str, JSON], path: Sequence[str]) -> None:
    """What lies at the path, under the same path; what an object on the way has besides stays behind."""
    name, rest = path[0], path[1:]
    if name not in source:
        return
    value = source[name]
    if not rest:
        target[name] = value
    elif isinstance(value, Mapping):
        inner = target.get(name)
        target[name] = kept = dict(inner) if isinstance(inner, dict) else {}
        _copy(value, kept, rest)
    elif isinstance(value, list):
        target[name] = _each(value, target.get(name), rest)


def _each(values: Sequence[Any], before: JSON, path: Sequence[str]) -> list[JSON]:
    held = before if isinstance(before, list) and len(before) == len(values) else [{} for _ in values]
    found: list[JSON] = []
    for value, kept in zip(values, held, strict=True):
        part = dict(kept) if isinstance(kept, dict) else {}
        if isinstance(value, Mapping):
            _copy(value, part, path)
        found.append(part)
    return found


def _files(hit: Hit, link: Link) -> list[JSON]:
    if hit.document is None:
        return []
    return [
        {"field": blob.field, "type": blob.type, "role": blob.role, "content_type": blob.content_type,
         "url": link(blob.url, blob.content_type, blob.filename)}
        for blob in hit.document.blobs
    ]  # fmt: skip


def _linked(value: JSON, link: Link) -> JSON:
    """Where a stored file lies is nobody's business: a link, or nothing."""
    if isinstance(value, str):
        return link(value, None, None) if value.startswith(_OURS) else value
    if isinstance(value, dict):
        return {name: _linked(one, link) for name, one in value.items()}
    return [_linked(one, link) for one in value] if isinstance(value, list) else value
