"""Documents of a list, grouped by a field's value."""

from dataclasses import dataclass, replace

from tamis.engine.groups.grouping import identity, value_at
from tamis.engine.ports.metadata import Session
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.listing import ListQuery

_PAGE = 1000
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Group:
    """document_ids: the first hundred, in the order of the list; count: all."""

    key: JSON
    count: int
    document_ids: tuple[str, ...]


@dataclass(slots=True)
class _Gathered:
    key: JSON
    count: int
    document_ids: list[str]


def group_page(session: Session, principal: Principal, collection_id: str, path: str, query: ListQuery) -> Page[Group]:
    """A window of the groups, the largest first, then in the order of their first documents.

    A document whose value is missing is in the group of null.   Cost: one pass over what the query lets in.
    """
    gathered: dict[bytes, _Gathered] = {}
    offset, total = 0, 1
    while offset < total:
        listing = replace(query, limit=_PAGE, offset=offset)
        page = session.documents.page(principal, collection_id, listing)
        for document in page.items:
            key = value_at(document.view(), path)
            group = gathered.setdefault(identity(key), _Gathered(key, 0, []))
            group.count += 1
            if len(group.document_ids) < _SHOWN:
                group.document_ids.append(document.document_id)
        offset, total = offset + _PAGE, page.total
    groups = sorted(gathered.values(), key=lambda group: -group.count)
    window = [] if query.count_only else groups[query.offset : query.offset + query.limit]
    items = [Group(group.key, group.count, tuple(group.document_ids)) for group in window]
    return Page(items, total=len(groups), limit=query.limit, offset=query.offset)
