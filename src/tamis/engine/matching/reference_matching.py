"""Elements of documents against a reference collection, tier by tier: each tier tries what no earlier one matched."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from tamis.engine.groups.grouping import value_at
from tamis.engine.matching.comparison import NO_MATCH, Extraction, Match, References, Surroundings, elements, mixed
from tamis.engine.querying.features import feature_uris, resolve_feature
from tamis.engine.querying.queries import DocumentQuery, Query, TextQuery
from tamis.engine.searching.searcher import Search
from tamis.engine.stage import Context
from tamis.errors import NotFoundError, ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Condition, Filter, Operator
from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec, VectorKind

_AT_ONCE = 100
"""Searches in one call: beyond it others wait too long for their turn."""
_COMPARED_AT_ONCE = 2_000
"""Pairs of texts that take less than a thread costs to ask."""


class Tier(StrEnum):
    """A way to match an element."""

    EXACT = "exact"
    FUZZY = "fuzzy"
    SEMANTIC = "semantic"
    VISUAL = "visual"


@dataclass(frozen=True, slots=True)
class Settings:
    """field, extraction, without_generic: how references are taken apart.  limit: how many of them are read.

    image_features: (name, weight), each.
    """

    tiers: tuple[Tier, ...]
    field: str
    extraction: Extraction
    without_generic: bool
    doc_type: str | None
    limit: int
    thresholds: Mapping[Tier, float]
    text_feature: str | None
    image_features: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Element:
    """context: all of the field that it was taken from."""

    hit: Hit
    text: str
    context: str

    @classmethod
    def of(cls, hit: Hit, value: JSON, mode: Extraction, without_generic: bool) -> "list[Element]":
        texts = elements(value, mode, without_generic)
        context = value if isinstance(value, str) else "\n".join(texts)
        return [cls(hit, text, context) for text in texts]


@dataclass(slots=True)
class Matching:
    """matches: one for each element.  references: those that matches name, by position; more may be added by a search.

    texts: the references' fields as text.
    """

    elements: Sequence[Element]
    references: list[Document]
    texts: list[str]
    matches: list[Match] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _positions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.matches = [NO_MATCH] * len(self.elements)
        self._positions = {document.document_id: n for n, document in enumerate(self.references)}

    @property
    def pending(self) -> list[int]:
        """Positions of elements without a match."""
        return [n for n, match in enumerate(self.matches) if match is NO_MATCH]

    def position(self, document_id: str) -> int | None:
        return self._positions.get(document_id)

    def add(self, document: Document, text: str) -> int:
        position = self._positions.setdefault(document.document_id, len(self.references))
        if position == len(self.references):
            self.references.append(document)
            self.texts.append(text)
        return position

    def surroundings(self, position: int, transcript: str | None) -> Surroundings:
        """Of an element that has a match."""
        element, match = self.elements[position], self.matches[position]
        before = position - 1
        follows = before >= 0 and self.elements[before].hit.id == element.hit.id
        previous = self.matches[before].reference if follows else None
        reference = "" if match.reference is None else self.texts[match.reference]
        return Surroundings(element.context, reference, transcript, previous, match.reference)


async def match_all(found: Sequence[Element], collection: Collection, settings: Settings, context: Context) -> Matching:
    """Every element's first match. What a tier lacks (a feature, a model) is a warning, and the tier is left out.

    Cost: one scan of the references; `semantic` one search for each element still unmatched.
    """
    listed: list[Document] = []
    more = False
    if found:
        listed, more = await context.searcher.list_documents(
            context.principal, [collection], _of_type(settings), settings.limit
        )
    matching = Matching(found, listed, [_as_text(document, settings) for document in listed])
    if more:
        matching.warnings.append(
            f"{collection.name!r} holds more than reference_limit = {settings.limit} references: exact and fuzzy "
            "compared with the first of them by id"
        )
    run = _Tiers(matching, collection, settings, context)
    for tier in settings.tiers:
        if matching.pending and listed:
            await run.go(tier)
    return matching


def _of_type(settings: Settings) -> Filter | None:
    return None if settings.doc_type is None else Condition("doc_type", Operator.EQ, settings.doc_type)


def _as_text(document: Document, settings: Settings) -> str:
    value = value_at(document.view(), settings.field)
    return value if isinstance(value, str) else "\n".join(elements(value, Extraction.RAW))


@dataclass(slots=True)
class _Tiers:
    matching: Matching
    collection: Collection
    settings: Settings
    context: Context
    _texts: References | None = None

    async def go(self, tier: Tier) -> None:
        if tier is Tier.SEMANTIC:
            await self._semantic()
        elif tier is Tier.VISUAL:
            await self._visual()
        else:
            await self._by_text(tier)

    @property
    def _references(self) -> References:
        if self._texts is None:
            settings = self.settings
            self._texts = References([
                elements(value_at(document.view(), settings.field), settings.extraction, settings.without_generic)
                for document in self.matching.references
            ])  # fmt: skip
        return self._texts

    async def _by_text(self, tier: Tier) -> None:
        references, matching = self._references, self.matching
        for _, positions in groupby(matching.pending, lambda n: matching.elements[n].hit.id):
            # Between two documents the budget has its say: what has begun cannot be stopped.
            own = list(positions)
            if tier is Tier.EXACT or len(own) * len(references) <= _COMPARED_AT_ONCE:
                await asyncio.sleep(0)
                found = self._texts_of(references, tier, own)
            else:
                found = await asyncio.to_thread(self._texts_of, references, tier, own)
            for n, match in zip(own, found, strict=True):
                matching.matches[n] = match or NO_MATCH

    def _texts_of(self, references: References, tier: Tier, positions: Sequence[int]) -> list[Match | None]:
        threshold, found = self.settings.thresholds.get(tier, 1.0), []
        for n in positions:
            element = self.matching.elements[n]
            itself = self.matching.position(element.hit.id)
            if tier is Tier.EXACT:
                found.append(references.exact(element.text, itself))
            else:
                found.append(references.fuzzy(element.text, threshold, itself))
        return found

    async def _semantic(self) -> None:
        uri = self._feature(self.settings.text_feature, Tier.SEMANTIC)
        if uri is None:
            return
        pending = self.matching.pending
        for start in range(0, len(pending), _AT_ONCE):
            part = pending[start : start + _AT_ONCE]
            # Two, for the best may be the document itself.
            searches = [self._search(uri, TextQuery(self.matching.elements[n].text), 2) for n in part]
            answers = await self.context.searcher.search(self.context.principal, searches)
            scores = [{one.document_id: one.score for one in answer.ranking} for answer in answers]
            await self._take(Tier.SEMANTIC, dict(zip(part, scores, strict=True)))

    async def _visual(self) -> None:
        """Documents are compared as wholes: each element still unmatched gets its document's match."""
        named = [(self._feature(name, Tier.VISUAL), weight) for name, weight in self.settings.image_features if weight]
        features = [(uri, weight) for uri, weight in named if uri is not None]
        if not features:
            return
        pending, without = self.matching.pending, 0
        for _, positions in groupby(pending, lambda n: self.matching.elements[n].hit.id):
            own = list(positions)
            scores = await self._looks(self.matching.elements[own[0]].hit, features)
            without += scores is None
            if scores is not None:
                await self._take(Tier.VISUAL, dict.fromkeys(own, scores))
        if without:
            self.matching.warnings.append(f"visual: {without} documents have no vector to compare by and were left out")

    async def _looks(self, hit: Hit, features: Sequence[tuple[str, float]]) -> dict[str, float] | None:
        if hit.document is None:
            return None
        query = DocumentQuery(hit.id, hit.document.collection_id)
        searches = [self._search(uri, query, self.settings.limit) for uri, _ in features]
        try:
            answers = await self.context.searcher.search(self.context.principal, searches)
        except (ValidationError, NotFoundError):
            return None
        scored = [{one.document_id: one.score for one in answer.ranking} for answer in answers]
        return mixed((weight, scores) for (_, weight), scores in zip(features, scored, strict=True))

    def _search(self, uri: str, query: Query, limit: int) -> Search:
        return Search(uri, query, (self.collection,), limit, filter=_of_type(self.settings))

    async def _take(self, tier: Tier, scores: Mapping[int, Mapping[str, float]]) -> None:
        """Each element's best reference, where it reaches the tier's threshold; ties by id."""
        best: dict[int, tuple[str, float]] = {}
        for n, scored in scores.items():
            itself = self.matching.elements[n].hit.id
            ranked = sorted((-score, key) for key, score in scored.items() if key != itself)
            if ranked and -ranked[0][0] >= self.settings.thresholds[tier]:
                best[n] = (ranked[0][1], min(1.0, -ranked[0][0]))
        wanted = sorted({key for key, _ in best.values()})
        documents = await self.context.searcher.hydrate(self.context.principal, wanted)
        for n, (key, score) in best.items():
            if key in documents:
                text = _as_text(documents[key], self.settings)
                self.matching.matches[n] = Match(tier.value, score, self.matching.add(documents[key], text), text)

    def _feature(self, name: str | None, tier: Tier) -> str | None:
        try:
            return feature_uri(name, self.collection)
        except ValidationError as error:
            self.matching.warnings.append(f"{tier.value} was left out: {error.message}")
            return None


def feature_uri(name: str | None, collection: Collection) -> str:
    """The URI of a collection's dense feature. name: a URI, or what the feature, its alias or its model is called;
    `BAAI__bge_m3` and `BAAI/bge-m3` are one name. None is its only dense one.

    Raises: ValidationError that names the features there are.
    """
    uri = f"mixpeek://{collection.extractor.name}@{collection.extractor.version}"
    if name is None or name.startswith("mixpeek://"):
        return resolve_feature(name or uri, [collection]).name
    for spec in collection.features:
        if spec.kind is not VectorKind.SPARSE and _plain(name) in _names(spec):
            return f"{uri}/{spec.name}"
    known = ", ".join(feature_uris(collection)) or "none at all"
    raise ValidationError.at(["feature"], f"{collection.name!r} has no feature {name!r}; it has {known}")


def _names(spec: FeatureSpec) -> set[str]:
    return {_plain(one) for one in (spec.name, spec.inference_name, *spec.aliases) if one}


def _plain(name: str) -> str:
    return name.casefold().replace("__", "/").replace("-", "_")
