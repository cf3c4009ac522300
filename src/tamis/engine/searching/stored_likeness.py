"""Documents against the nodes of a taxonomy, by vectors that stay where they are: a record keeps scores."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tamis.engine.ports.index import VectorSearch
from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Metadata
from tamis.engine.querying.narrowed_index import NarrowedIndex
from tamis.engine.querying.queries import Need, QueryVectors, TextQuery
from tamis.engine.searching.stored_vectors import dense, dense_names
from tamis.engine.taxonomies.taxonomy import Members, Near, Node, Rows, Rule, Texts, best, cosines
from tamis.errors import DimensionMismatch, ValidationError
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, Space, VectorKind

NO_VECTOR, NO_TEXT, NOT_A_NUMBER, ZERO_VECTOR = "no_vector", "no_text", "not_a_number", "zero_vector"
MAX_SEARCHES = 20_000
_SEARCHES_AT_ONCE = 500
_VALUES_AT_ONCE = 4_000_000
_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """One level of a taxonomy. texts: of the documents, in place of their stored vectors; None uses those.

    feature: URI or output name; None is the collections' only dense feature.  sources: collections of the nodes.
    allowed: for each document the places of the nodes that it may match.  neighbours: of each node's collection.
    """

    document_ids: tuple[str, ...]
    texts: tuple[str | None, ...] | None
    collections: tuple[Collection, ...]
    feature: str | None
    nodes: tuple[Node, ...]
    sources: tuple[Collection, ...]
    allowed: tuple[tuple[int, ...], ...]
    rule: Rule
    neighbours: int = 1


@dataclass(frozen=True, slots=True)
class Likenesses:
    """matches: of each document, in the order asked.  reasons: by id, of those that could not be compared."""

    matches: tuple[Mapping[str, Near], ...]
    reasons: Mapping[str, str]


class StoredLikeness:
    def __init__(self, index: NarrowedIndex, metadata: Metadata, models: Models, vectors: QueryVectors) -> None:
        self._index = index
        self._metadata = metadata
        self._models = models
        self._vectors = vectors

    async def of(self, principal: Principal, asked: Likeness) -> Likenesses:
        """Cost: one matrix product; one search for each document and collection.

        Raises: ValidationError, DimensionMismatch, ModelMissingError, IndexUnavailableError.
        """
        rows, reasons = await self._rows(principal, asked)
        found: list[dict[str, Near]] = [{} for _ in asked.document_ids]
        compared = [n for n, node in enumerate(asked.nodes) if isinstance(node.means, Rows | Texts)]
        if compared and rows:
            prototypes = await self._prototypes(principal, asked, compared, len(next(iter(rows.values()))))
            await asyncio.to_thread(_compare, asked, rows, compared, prototypes, found)
        await self._search(principal, asked, rows, found)
        return Likenesses(tuple(best(one, asked.rule) for one in found), reasons)

    async def _rows(self, principal: Principal, asked: Likeness) -> tuple[dict[int, FloatArray], dict[str, str]]:
        """By place, of those documents that can be compared; and why the others cannot."""
        if asked.texts is None:
            names = dense_names(asked.collections, asked.feature, "feature_uri")
            ids = sorted(set(asked.document_ids))
            stored = await self._metadata.read(lambda session: session.documents.vectors(principal, ids))
            read = [dense(stored.get(one, {}), names) for one in asked.document_ids]
        else:
            read = await asyncio.to_thread(self._embedded, asked.texts, _spec(asked))
        absent = NO_VECTOR if asked.texts is None else NO_TEXT
        rows: dict[int, FloatArray] = {}
        reasons: dict[str, str] = {}
        for place, (document_id, row) in enumerate(zip(asked.document_ids, read, strict=True)):
            reason = absent if row is None else _unfit(row)
            if reason is not None:
                reasons[document_id] = reason
            elif row is not None:
                rows[place] = row
        if len({len(row) for row in rows.values()}) > 1:
            message = "the documents' vectors are not of one length: they come from different models"
            raise DimensionMismatch.at(["parameters", "feature_uri"], message)
        return rows, reasons

    def _embedded(self, texts: Sequence[str | None], spec: FeatureSpec) -> list[FloatArray | None]:
        """Each text by itself: within a batch the last bits of its vector would depend on its neighbours."""
        if spec.space is not Space.TEXT:
            message = f"{spec.name!r} is no feature of texts; compare the documents' own vectors by it"
            raise ValidationError.at(["parameters", "feature_uri"], message)
        model = self._models.embedder(spec.inference_name)
        known = {text: model.embed_documents([text])[0] for text in dict.fromkeys(texts) if text}
        return [known[text] if text else None for text in texts]

    async def _prototypes(
        self, principal: Principal, asked: Likeness, compared: Sequence[int], dim: int
    ) -> list[_Matrix]:
        texts = {n: means.texts for n in compared if isinstance(means := asked.nodes[n].means, Texts)}
        needs = []
        if texts:
            spec, loc = _spec(asked), ("parameters", "taxonomy", "nodes")
            needs = [Need(TextQuery(text), spec, loc) for own in texts.values() for text in own]
        embedded = iter([one.values for one in await self._vectors.of(principal, needs) if isinstance(one, Dense)])
        found: list[_Matrix] = []
        for n in compared:
            means = asked.nodes[n].means
            own = means.rows if isinstance(means, Rows) else [next(embedded) for _ in texts[n]]
            rows = np.array(own, dtype=np.float64)
            if rows.shape[1] != dim:
                message = f"node {asked.nodes[n].id!r} has {rows.shape[1]} dimensions, and the documents have {dim}"
                raise DimensionMismatch.at(["parameters", "taxonomy", "nodes"], message)
            found.append(rows)
        return found

    async def _search(
        self, principal: Principal, asked: Likeness, rows: Mapping[int, FloatArray], found: list[dict[str, Near]]
    ) -> None:
        calls = [(place, node) for place in rows for n in asked.allowed[place]
                 if isinstance((node := asked.nodes[n]).means, Members)]  # fmt: skip
        if len(calls) > MAX_SEARCHES:
            message = (
                f"{len(calls)} searches of documents in nodes' collections, {MAX_SEARCHES} is the most: limit first"
            )
            raise ValidationError.at(["parameters", "taxonomy"], message)
        by_key = {key: one for one in asked.sources for key in (one.collection_id, one.name)}
        for first in range(0, len(calls), _SEARCHES_AT_ONCE):
            some = calls[first : first + _SEARCHES_AT_ONCE]
            searches = [
                _nearest(by_key[node.means.collection], rows[place], asked)
                for place, node in some if isinstance(node.means, Members)
            ]  # fmt: skip
            answers = await self._index.search(principal, searches)
            for (place, node), ranking in zip(some, answers, strict=True):
                if ranking:
                    near = tuple((one.document_id, round(one.score, 6)) for one in ranking)
                    found[place][node.id] = Near(near[0][1], near)


def _nearest(source: Collection, row: FloatArray, asked: Likeness) -> tuple[str, VectorSearch]:
    names = dense_names([source], asked.feature, "feature_uri")
    spec = next(one for one in source.features if one.name in names)
    if spec.dimensions not in (None, len(row)):
        message = f"collection {source.name!r} has {spec.dimensions} dimensions, and the documents have {len(row)}"
        raise DimensionMismatch.at(["parameters", "taxonomy"], message)
    search = VectorSearch(spec.name, Dense(row), asked.neighbours, None, asked.rule.min_score)
    return source.collection_id, search


def _compare(
    asked: Likeness, rows: Mapping[int, FloatArray], compared: Sequence[int], prototypes: Sequence[_Matrix],
    found: list[dict[str, Near]],
) -> None:  # fmt: skip
    places = list(rows)
    step = max(1, _VALUES_AT_ONCE // sum(map(len, prototypes)))
    for first in range(0, len(places), step):
        some = places[first : first + step]
        scores = cosines(np.stack([rows[place] for place in some]).astype(np.float64), prototypes)
        for place, own in zip(some, scores.tolist(), strict=True):
            may = set(asked.allowed[place])
            named = {asked.nodes[n].id: Near(score) for n, score in zip(compared, own, strict=True) if n in may}
            found[place] = best(named, asked.rule)


def _unfit(row: FloatArray) -> str | None:
    if not bool(np.isfinite(row).all()):
        return NOT_A_NUMBER
    return None if bool(row.any()) else ZERO_VECTOR


def _spec(asked: Likeness) -> FeatureSpec:
    names = dense_names(asked.collections, asked.feature, "feature_uri")
    features = (spec for one in asked.collections for spec in one.features)
    return next(spec for spec in features if spec.name in names and spec.kind is VectorKind.DENSE)
