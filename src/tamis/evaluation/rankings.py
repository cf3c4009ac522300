"""What an execution returned, in the names that judgements use."""

from collections.abc import Iterable, Mapping

from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.matching import resolve


def named(hits: Iterable[Hit], document_field: str | None) -> tuple[str, ...]:
    """Best first, each name once: of the passages of one document the best stands for it.

    document_field: where judgements name documents by a field. What has no such field is named by its id, and nobody
    has judged it.
    """
    names = (hit.id if document_field is None else name_of(hit.view(), document_field) or hit.id for hit in hits)
    return tuple(dict.fromkeys(names))


def name_of(view: Mapping[str, JSON], document_field: str) -> str | None:
    found = next(iter(resolve(view, document_field)), None)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None
