"""How stages search: features resolved, queries embedded, filters made exact, all in one call to the index."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nlargest
from itertools import islice

import orjson

from tamis.engine.contents.contents import Contents
from tamis.engine.ports.index import FacetCount, Scored, VectorIndex, VectorSearch
from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.querying.embedding_cache import EmbeddingCache
from tamis.engine.querying.features import Feature, resolve_feature
from tamis.engine.querying.narrowed_index import NOTHING, NarrowedIndex
from tamis.engine.querying.queries import Need, Query, QueryVectors
from tamis.engine.searching.fusion import merge, ranked
from tamis.engine.searching.stored_clustering import Clustered, Clustering, cluster_stored
from tamis.engine.searching.stored_likeness import Likeness, Likenesses, StoredLikeness
from tamis.engine.searching.stored_vectors import Diverse, Diversity, LateInteraction, StoredVectors
from tamis.errors import IndexUnavailableError, NotFoundError, ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter, IdIn
from tamis.model.matching import patient
from tamis.model.ordering import order
from tamis.model.principal import Principal
from tamis.model.vector import Vector

_ALL_VALUES = 10_000
_READ_THROUGH = 256
"""Documents of a collection that are read sooner than the index is asked."""
_MOST_SELECTED = 2000
"""So many ids at a time keep the index from its searches for some milliseconds."""
_AT_ONCE = 200
"""Documents that are read sooner than a thread is reached."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search: the `limit` best of these collections for a query by one feature.

    filter: which documents count.  min_score: leave out what scores below it.  loc: where it stands in the request.
    """

    feature_uri: str
    query: Query
    collections: tuple[Collection, ...]
    limit: int = 100
    lexical: bool = False
    filter: Filter | None = None
    min_score: float | None = None
    loc: tuple[str | int, ...] = ()

    def is_exhausted_by(self, count: int) -> bool:
        """Whether so many documents are all that have any of its words: fewer came than were asked for."""
        return self.lexical and self.min_score is None and count < self.limit


@dataclass(frozen=True, slots=True)
class Found:
    """A search's answer over all its collections: score down, id up. feature: its canonical name."""

    feature: str
    ranking: Sequence[Scored]


@dataclass(frozen=True, slots=True)
class _Call:
    search: int
    collection_id: str
    feature: str
    vector: Vector
    filter: Filter | None


class Searcher:
    """Search over the collections of one namespace. Holds no state; safe to share."""

    def __init__(
        self,
        index: VectorIndex,
        metadata: Metadata,
        models: Models,
        contents: Contents | None = None,
        embeddings: EmbeddingCache | None = None,
    ) -> None:
        """contents: where queries' files are read from; None knows those that come with the query.

        embeddings: where the vectors of texts are looked for before a model is asked; None always asks."""
        self._index = NarrowedIndex(index, metadata)
        self._metadata = metadata
        self._vectors = QueryVectors(metadata, models, contents or Contents(metadata), embeddings)
        self._stored = StoredVectors(metadata, models)
        self._likeness = StoredLikeness(self._index, metadata, models, self._vectors)

    async def search(self, principal: Principal, searches: Sequence[Search]) -> list[Found]:
        """One answer for each search, in order. Cost: one call to the index, one visit to the models' thread.

        Raises: ValidationError naming the place, NotFoundError, ModelMissingError, IndexUnavailableError.
        """
        features = [resolve_feature(s.feature_uri, s.collections, s.lexical, [*s.loc, "feature_uri"]) for s in searches]
        calls = await self._calls(principal, searches, features)
        answers = await self._index.search(
            principal,
            [(call.collection_id, _vector_search(call, searches[call.search])) for call in calls],
        )
        return [
            Found(
                feature.name,
                merge([a for call, a in zip(calls, answers, strict=True) if call.search == n], searches[n].limit),
            )
            for n, feature in enumerate(features)
        ]

    async def _calls(
        self, principal: Principal, searches: Sequence[Search], features: Sequence[Feature]
    ) -> list[_Call]:
        pairs = [(n, collection, spec) for n, f in enumerate(features) for collection, spec in f.targets]
        needs = [Need(searches[n].query, spec, (*searches[n].loc, "query")) for n, _, spec in pairs]
        vectors = await self._vectors.of(principal, needs)
        _check_found(searches, [n for (n, _, _), vector in zip(pairs, vectors, strict=True) if vector is not None])
        calls = []
        combined = [search.filter for search in searches]
        exact: dict[tuple[str, int], Filter | None] = {}
        for (n, collection, spec), vector in zip(pairs, vectors, strict=True):
            # Equal filters are made exact once; a filter may hold lists, so it cannot be a key itself.
            key = (collection.collection_id, combined.index(combined[n]))
            if key not in exact:
                exact[key] = await self._exact(principal, collection.collection_id, combined[n])
            if vector is not None and exact[key] != NOTHING:
                calls.append(_Call(n, collection.collection_id, spec.name, vector, exact[key]))
        return calls

    async def _exact(self, principal: Principal, collection_id: str, filter: Filter | None) -> Filter | None:
        """A filter that the index answers exactly: itself, or the ids that match what the index cannot compile."""
        if filter is None or self._index.compiles(filter):
            return filter
        ids = await self._metadata.read(
            lambda session: frozenset(d.document_id for d in session.documents.scan(principal, collection_id, filter))
        )
        return IdIn(ids)

    async def hydrate(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        """The documents that are still there, by id."""
        if not document_ids:
            return {}
        read = self._metadata.read_now if len(document_ids) <= _AT_ONCE else self._metadata.read
        return await read(lambda session: session.documents.get_many(principal, document_ids))

    async def collections(
        self, principal: Principal, identifiers: Sequence[str], known: Sequence[Collection] = ()
    ) -> tuple[Collection, ...]:
        """Collections by id or name, in the order named. Raises: NotFoundError."""
        by_key = {key: c for c in known for key in (c.collection_id, c.name)}
        found = []
        for identifier in dict.fromkeys(identifiers):
            collection = by_key.get(identifier) or await self._collection(principal, identifier)
            if collection not in found:
                found.append(collection)
        return tuple(found)

    async def _collection(self, principal: Principal, identifier: str) -> Collection:
        found = await self._metadata.read(lambda session: session.collections.get(principal, identifier))
        if found is None:
            raise NotFoundError.of("collection", identifier)
        return found

    async def list_documents(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int
    ) -> tuple[list[Document], bool]:
        """Documents that match, collection by collection and by id, and whether there are more than `limit`."""
        found: list[Document] = []
        for collection in collections:
            wanted = limit + 1 - len(found)
            found += await self._scan(principal, collection.collection_id, filter, wanted)
            if len(found) > limit:
                return found[:limit], True
        return found, False

    async def _scan(
        self, principal: Principal, collection_id: str, filter: Filter | None, limit: int
    ) -> list[Document]:
        """By id. A small collection is read through; of a large one, what the index says matches is read."""
        if filter is not None and self._index.selects(filter):
            found = await self._metadata.read(lambda session: _read_through(session, principal, collection_id))
            if found is not None:
                # Not on the thread that read them: others read there.
                return (await asyncio.to_thread(_matching, found, filter))[:limit]
            with suppress(IndexUnavailableError):
                ids = await self._index.select(principal, collection_id, filter, _MOST_SELECTED)
                if ids is not None:
                    return await self._metadata.read(
                        lambda session: _selected(session, principal, collection_id, filter, ids)[:limit]
                    )
        return await self._scanned(principal, collection_id, filter, limit)

    async def _scanned(
        self, principal: Principal, collection_id: str, filter: Filter | None, limit: int
    ) -> list[Document]:
        return await self._metadata.read(
            lambda session: [
                document
                for _, document in zip(
                    range(limit), session.documents.scan(principal, collection_id, filter), strict=False
                )
            ]
        )

    async def random(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int, seed: str
    ) -> list[Scored]:
        """A uniform sample that the seed decides; scores in [0, 1) give its order. Cost: O(documents), a scan."""
        drawn: list[Scored] = []
        for collection in collections:
            drawn += await self._draw(principal, collection.collection_id, filter, limit, seed)
        return ranked(drawn)[:limit]

    async def _draw(
        self, principal: Principal, collection_id: str, filter: Filter | None, limit: int, seed: str
    ) -> list[Scored]:
        def largest(ids: list[str]) -> list[Scored]:
            lots = ((_lot(seed, document_id), document_id) for document_id in ids)
            return [Scored(document_id, lot) for lot, document_id in nlargest(limit, lots)]

        return await self._metadata.read(
            lambda session: largest(
                [d.document_id for d in session.documents.scan(principal, collection_id, filter)],
            )
        )

    async def facet(
        self, principal: Principal, collections: Sequence[Collection], path: str, limit: int, filter: Filter | None,
        exact: bool,
    ) -> list[FacetCount]:  # fmt: skip
        """A field's values by how many of the matching documents have them: count down, value up."""
        counts: dict[bytes, FacetCount] = {}
        # A value may be rare here and common there: with several collections every value is asked for.
        wanted = limit if len(collections) == 1 else _ALL_VALUES
        for collection in collections:
            asked = await self._exact(principal, collection.collection_id, filter)
            if asked == NOTHING:
                continue
            for entry in await self._index.facet(principal, collection.collection_id, path, wanted, asked, exact):
                key = orjson.dumps(entry.value)
                before = counts.get(key)
                counts[key] = FacetCount(entry.value, entry.count + (before.count if before else 0))
        return sorted(counts.values(), key=lambda entry: (-entry.count, order(entry.value)))[:limit]

    async def is_empty(self, principal: Principal, collections: Sequence[Collection]) -> bool:
        """True where the index holds no document of these."""
        for collection in collections:
            if await self._index.count(principal, collection.collection_id, None):
                return False
        return True

    async def diversify(self, principal: Principal, asked: Diversity) -> Diverse:
        return await self._stored.diversify(principal, asked)

    async def cluster(self, principal: Principal, asked: Clustering) -> Clustered:
        return await cluster_stored(self._metadata, principal, asked)

    async def likeness(self, principal: Principal, asked: Likeness) -> Likenesses:
        return await self._likeness.of(principal, asked)

    async def late_interaction(self, principal: Principal, asked: LateInteraction) -> Mapping[str, float]:
        return await self._stored.late_interaction(principal, asked)


def _vector_search(call: _Call, search: Search) -> VectorSearch:
    return VectorSearch(call.feature, call.vector, search.limit, call.filter, search.min_score)


def _check_found(searches: Sequence[Search], answered: Sequence[int]) -> None:
    for n, search in enumerate(searches):
        if n not in answered:
            message = f"the document has no vector for {search.feature_uri!r}"
            raise ValidationError.at([*search.loc, "query", "document_ref"], message)


def _lot(seed: str, document_id: str) -> float:
    digest = blake2b(document_id.encode(), key=seed.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _read_through(session: Session, principal: Principal, collection_id: str) -> list[Document] | None:
    """By id; None where the collection is too large."""
    documents = list(islice(session.documents.scan(principal, collection_id), _READ_THROUGH + 1))
    if len(documents) > _READ_THROUGH:
        return None
    return documents


def _matching(documents: Sequence[Document], filter: Filter) -> list[Document]:
    keeps = patient(filter, ("filter",))
    return [one for one in documents if keeps(one.view())]


def _selected(
    session: Session, principal: Principal, collection_id: str, filter: Filter, ids: Sequence[str]
) -> list[Document]:
    """By id, those of these that match as they are now: the record may be ahead of the index."""
    documents = session.documents.get_many(principal, ids).values()
    keeps = patient(filter, ("filter",))
    found = [one for one in documents if one.collection_id == collection_id and keeps(one.view())]
    return sorted(found, key=lambda one: one.document_id)
