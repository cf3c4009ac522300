"""Where documents come from, as a tree: the object, its documents by collection, below each what was made of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tamis.model.bucket import BucketObject
from tamis.model.document import Document
from tamis.services.data.collections import CollectionService
from tamis.studio.faces import title_of
from tamis.studio.visit import Visit

_MOST_SIBLINGS = 12


@dataclass(frozen=True, slots=True)
class Leaf:
    """One document. where: the part of its source, such as seconds or a page.  is_here: whose page this is."""

    document_id: str
    collection_id: str
    title: str
    where: str
    is_here: bool
    branches: "tuple[Branch, ...]"


@dataclass(frozen=True, slots=True)
class Branch:
    """A collection's documents of one source. more: those that are not shown.  address: of them all."""

    collection_id: str
    collection: str
    leaves: tuple[Leaf, ...]
    count: int
    more: int
    address: str


@dataclass(frozen=True, slots=True)
class Tree:
    """title: of the object, which `is_gone` where it has been deleted."""

    object_id: str
    bucket_id: str | None
    title: str
    is_gone: bool
    branches: tuple[Branch, ...]


async def names_of(visit: Visit) -> dict[str, str]:
    """Of every collection here, by id."""
    return {one.collection_id: one.name for one in await visit.service(CollectionService).all(visit.principal)}


def grown(
    object_id: str, root: BucketObject | None, documents: Sequence[Document], names: Mapping[str, str], here: str | None
) -> Tree:
    """documents: all that go back to the object.  here: the document whose page this is."""
    children: dict[str | None, dict[str, list[Document]]] = {}
    known = {one.document_id for one in documents}
    for one in documents:
        above = one.lineage.source_document_id
        children.setdefault(above if above in known else None, {}).setdefault(one.collection_id, []).append(one)
    path = frozenset(_path(documents, here))
    title = _name_of(root) if root else object_id
    bucket_id = root.bucket_id if root else None
    return Tree(
        object_id, bucket_id, title, root is None, tuple(_branches(object_id, None, children, names, path, here))
    )


def _branches(
    object_id: str,
    above: str | None,
    children: Mapping[str | None, Mapping[str, Sequence[Document]]],
    names: Mapping[str, str],
    path: frozenset[str],
    here: str | None,
) -> Iterator[Branch]:
    for collection_id, found in children.get(above, {}).items():
        ordered = sorted(found, key=_order)
        shown = _shown(ordered, path)
        leaves = tuple(
            Leaf(
                one.document_id, collection_id, title_of(one.fields, one.document_id), where_of(one),
                one.document_id == here,
                tuple(_branches(object_id, one.document_id, children, names, path, here)),
            )
            for one in shown
        )  # fmt: skip
        address = f"/data/collections/{collection_id}?field=root_object_id&op=eq&value={object_id}"
        yield Branch(
            collection_id, names.get(collection_id, collection_id), leaves, len(found), len(found) - len(shown), address
        )


def _shown(ordered: Sequence[Document], path: frozenset[str]) -> list[Document]:
    """The first ones, and whichever leads to the page that this is."""
    if len(ordered) <= _MOST_SIBLINGS:
        return list(ordered)
    first = list(ordered[:_MOST_SIBLINGS])
    return first + [one for one in ordered[_MOST_SIBLINGS:] if one.document_id in path]


def _path(documents: Sequence[Document], here: str | None) -> Iterator[str]:
    """From here up to the object."""
    by_id = {one.document_id: one for one in documents}
    seen: set[str] = set()
    while here in by_id and here not in seen:
        seen.add(here)
        yield here
        here = by_id[here].lineage.source_document_id


def where_of(document: Document) -> str:
    """Which part of its source it is: seconds, a page, a place among others; empty for the whole."""
    fields = document.fields
    start, end, page = fields.get("start_time"), fields.get("end_time"), fields.get("page_number")
    if isinstance(start, int | float) and isinstance(end, int | float):
        return f"{start:.1f}–{end:.1f} s"
    if isinstance(page, int):
        return f"{page}"
    place = next((fields[name] for name in ("chunk_index", "passage_index") if isinstance(fields.get(name), int)), None)
    return f"#{place}" if place is not None else ""


def _order(document: Document) -> tuple[float, str]:
    fields = document.fields
    for name in ("start_time", "page_number", "chunk_index", "passage_index"):
        value = fields.get(name)
        if isinstance(value, int | float):
            return float(value), document.document_id
    return 0.0, document.document_id


def _name_of(root: BucketObject) -> str:
    name = next((blob.filename for blob in root.blobs if blob.filename), None)
    return title_of({"filename": name, **root.fields} if name else root.fields, root.object_id)
