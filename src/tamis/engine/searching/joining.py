"""Rankings of documents that were made of the same things, as rankings of those things: passages, fields, the whole."""

from collections.abc import Mapping, Sequence

from tamis.engine.groups.grouping import identity, value_at
from tamis.engine.ports.index import Scored
from tamis.engine.searching.fusion import Ranking, ranked
from tamis.model.document import Document

Keys = Mapping[str, bytes]
"""By document, which thing it belongs to; one that is not in here stands for itself."""


def keys_of(documents: Mapping[str, Document], path: str) -> Keys:
    """By the value at this path. A document without the field has no key."""
    values = {key: value_at(document.view(), path) for key, document in documents.items()}
    return {key: identity(value) for key, value in values.items() if value is not None}


def standing_for(rankings: Sequence[Ranking], keys: Keys) -> dict[bytes, str]:
    """By key, the document that is shown: the best of the first ranking that has any."""
    stands: dict[bytes, str] = {}
    for ranking in rankings:
        for entry in ranking:
            key = keys.get(entry.document_id)
            if key is not None:
                stands.setdefault(key, entry.document_id)
    return stands


def join(rankings: Sequence[Ranking], keys: Keys) -> list[Ranking]:
    """Each with every thing once, by its best document there, under the name of the document that is shown of it.

    rankings: best first, as they are returned.   Cost: O(n log n) in all entries.
    """
    stands = standing_for(rankings, keys)
    joined: list[Ranking] = []
    for ranking in rankings:
        best: dict[str, Scored] = {}
        for entry in ranking:
            key = keys.get(entry.document_id)
            name = entry.document_id if key is None else stands[key]
            best.setdefault(name, Scored(name, entry.score))
        joined.append(ranked(best.values()))
    return joined
