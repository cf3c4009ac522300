"""A question to one collection as a pipeline: in words, by meaning and by words at once; or by an example."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tamis.engine.querying.features import primary_feature
from tamis.errors import BadRequestError
from tamis.model.collection import Collection
from tamis.model.feature_uri import FeatureUri
from tamis.model.hybrid import BY_MEANING, BY_WORDS, HYBRID_FUSION
from tamis.model.json import JSON
from tamis.model.retriever import Definition, StageSpec
from tamis.model.vector import FeatureSpec, Space, VectorKind

_CANDIDATES, _SHOWN = 100, 20
_LARGEST_EXAMPLE = 12_000_000
_SPACES: Mapping[str, Space] = {"image": Space.VISUAL, "video": Space.VISUAL, "audio": Space.ACOUSTIC}
_DATA_URI = re.compile(r"data:([a-z]+)/[\w.+-]+;base64,[A-Za-z0-9+/=]+\Z")


@dataclass(frozen=True, slots=True)
class Question:
    definition: Definition
    inputs: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Askable:
    """text: by meaning, where it can be asked in words.  has_words: by words, too.  by_example: by kind of file."""

    text: FeatureSpec | None
    has_words: bool
    by_example: Mapping[str, FeatureSpec]

    @property
    def in_words(self) -> bool:
        return self.text is not None

    @property
    def accept(self) -> str:
        return ",".join(f"{kind}/*" for kind in self.by_example)


def askable(collection: Collection) -> Askable:
    dense = [one for one in collection.features if one.kind is VectorKind.DENSE]
    sparse = [one for one in collection.features if one.kind is VectorKind.SPARSE]
    examples = {
        kind: found for kind, space in _SPACES.items() if (found := next((x for x in dense if x.space is space), None))
    }
    text = primary_feature([one for one in dense if one.space is Space.TEXT])
    return Askable(text, len(sparse) == 1, examples)


def asked_in_words(collection: Collection, text: str) -> Question:
    """Raises: BadRequestError where there is no question, or the collection cannot be asked in words."""
    how = askable(collection)
    if not text:
        raise BadRequestError("write what you look for", field="query")
    if how.text is None:
        raise BadRequestError("this collection has nothing that can be asked in words", field="query")
    search: dict[str, JSON] = {
        "feature_uri": uri_of(collection, how.text.name), "query": "{{INPUT.query}}", "top_k": _CANDIDATES,
    }  # fmt: skip
    both: list[JSON] = [{**search, "weight": BY_MEANING}, {**search, "lexical": True, "weight": BY_WORDS}]
    searches: list[JSON] = both if how.has_words else [search]
    schema = {"query": {"type": "text", "required": True}}
    return _question(collection, {"searches": searches, "fusion": HYBRID_FUSION}, schema, {"query": text})


def asked_by_example(collection: Collection, example: str) -> Question:
    """example: a data: URI. Raises: BadRequestError."""
    if len(example) > _LARGEST_EXAMPLE:
        raise BadRequestError(f"an example has at most {_LARGEST_EXAMPLE * 3 // 4_000_000} MB", field="example")
    found = _DATA_URI.match(example)
    feature = askable(collection).by_example.get(found[1]) if found else None
    if feature is None:
        kinds = ", ".join(askable(collection).by_example) or "none"
        raise BadRequestError(f"example: this collection takes examples of these kinds: {kinds}", field="example")
    return _example(collection, feature.name, {"input_mode": "content", "value": example})


def asked_by_document(collection: Collection, document_id: str, feature: str) -> Question:
    """What is like this document. Raises: BadRequestError where the collection has no such feature."""
    if feature not in [one.name for one in collection.features]:
        raise BadRequestError(f"feature: this collection has no feature {feature!r}", field="feature")
    reference: dict[str, JSON] = {"document_id": document_id, "collection_id": collection.collection_id}
    return _example(collection, feature, {"input_mode": "document", "document_ref": reference})


def uri_of(collection: Collection, feature: str) -> str:
    return str(FeatureUri(collection.extractor.name, collection.extractor.version, feature))


def _example(collection: Collection, feature: str, example: dict[str, JSON]) -> Question:
    search: JSON = {"feature_uri": uri_of(collection, feature), "query": "{{INPUT.like}}", "top_k": _CANDIDATES}
    schema = {"like": {"type": "object", "required": True}}
    return _question(collection, {"searches": [search]}, schema, {"like": example})


def _question(
    collection: Collection, search: dict[str, JSON], schema: dict[str, Any], inputs: dict[str, JSON]
) -> Question:
    stages = (
        StageSpec("search", "feature_search", {**search, "final_top_k": _CANDIDATES}),
        StageSpec("best", "limit", {"limit": _SHOWN}),
    )
    return Question(Definition(stages, schema, (collection.collection_id,)), inputs)
