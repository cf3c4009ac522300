"""What a search can ask with, and how it becomes a vector."""

import asyncio
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import orjson

from tamis.engine.contents.contents import Contents, Given, Part, Reading
from tamis.engine.contents.examples import Examples, fitting
from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Metadata
from tamis.engine.querying.embedding_cache import EmbeddingCache
from tamis.errors import DimensionMismatch, NotFoundError, ValidationError
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, MultiDense, Space, Sparse, Vector, VectorKind

_SHORT = 256
"""Characters whose words are weighed sooner than a thread is reached."""


@dataclass(frozen=True, slots=True)
class TextQuery:
    """Always plain text, even where it looks like a URL."""

    text: str


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """value: a row of numbers, rows of numbers, or the JSON text of either."""

    value: JSON


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """The stored vectors of a document of this namespace."""

    document_id: str
    collection_id: str | None = None


@dataclass(frozen=True, slots=True)
class ContentQuery:
    """Files, each as a `data:` URI, base64, an address on the web, a stored `blob://` file or the id of an object;
    several count as one."""

    contents: tuple[str, ...]
    is_base64: bool = False


@dataclass(frozen=True, slots=True)
class MultiQuery:
    """Texts and files together, as one query."""

    values: tuple[str, ...]


Query: TypeAlias = TextQuery | VectorQuery | DocumentQuery | ContentQuery | MultiQuery


@dataclass(frozen=True, slots=True)
class Need:
    """A query against one feature, and where it stands in the request."""

    query: Query
    spec: FeatureSpec
    loc: tuple[str | int, ...] = ()


class QueryVectors:
    """Turns queries into vectors: all texts of a call in one visit to a worker thread, equal texts once."""

    def __init__(
        self, metadata: Metadata, models: Models, contents: Contents, cache: EmbeddingCache | None = None
    ) -> None:
        self._metadata = metadata
        self._models = models
        self._contents = contents
        self._examples = Examples(models, contents.decoding)
        self._cache = cache

    async def of(self, principal: Principal, needs: Sequence[Need]) -> list[Vector | None]:
        """One vector for each need, in order; None where a document has no such feature.

        Raises: ValidationError, DimensionMismatch, NotFoundError, ModelMissingError.
        """
        with self._contents.reading(principal) as reading:
            parts = [await self._parts(reading, need) for need in needs]
            texts = await self._texts(needs, parts)
            examples = await self._examples_of(needs, parts)
        embedded = {**await self._embed(needs, texts), **examples}
        stored = await self._stored(principal, needs)
        return [
            _given(need)
            if isinstance(need.query, VectorQuery)
            else _pick(need, _keys(need, parts[n], texts[n]), embedded, stored)
            for n, need in enumerate(needs)
        ]

    async def _parts(self, reading: Reading, need: Need) -> tuple[Part, ...]:
        """What of the query the feature can be asked with. Raises: ValidationError where that is nothing."""
        query, loc = need.query, list(need.loc)
        if isinstance(query, TextQuery):
            given = [Given((Part(query.text),))]
        elif isinstance(query, ContentQuery):
            given = [await reading.read(content, loc, query.is_base64) for content in query.contents]
        elif isinstance(query, MultiQuery):
            given = [await reading.read_or_text(value, loc) for value in query.values]
        else:
            return ()
        return tuple(part for one in given for part in fitting(one, need.spec, loc))

    async def _texts(self, needs: Sequence[Need], parts: Sequence[tuple[Part, ...]]) -> list[tuple[str, ...]]:
        """Of features of texts, what their parts say: a picture is read and a sound written down, each once."""
        ours = [some if need.spec.space is Space.TEXT else () for need, some in zip(needs, parts, strict=True)]
        files = {part: list(need.loc) for need, some in zip(needs, ours, strict=True) for part in some if not part.text}
        read = await asyncio.to_thread(self._read_all, files) if files else {}
        return [tuple(part.text or read[part] for part in some) for some in ours]

    def _read_all(self, files: Mapping[Part, list[str | int]]) -> dict[Part, str]:
        return {part: self._examples.text(part, loc) for part, loc in files.items()}

    async def _examples_of(self, needs: Sequence[Need], parts: Sequence[tuple[Part, ...]]) -> "dict[_Key, Vector]":
        """Of features of pictures and sounds."""
        wanted = {
            _Key.of_part(need.spec, part): (need, part)
            for need, some in zip(needs, parts, strict=True)
            if need.spec.space is not Space.TEXT
            for part in some
        }
        return await asyncio.to_thread(self._rows, wanted) if wanted else {}

    def _rows(self, wanted: "Mapping[_Key, tuple[Need, Part]]") -> "dict[_Key, Vector]":
        return {key: Dense(self._examples.row(part, need.spec, list(need.loc))) for key, (need, part) in wanted.items()}

    async def _embed(self, needs: Sequence[Need], texts: Sequence[tuple[str, ...]]) -> "dict[_Key, Vector]":
        wanted = {_Key.of(need.spec, text): need.spec for need, some in zip(needs, texts, strict=True) for text in some}
        if self._cache is None:
            return await self._made(wanted)
        known = await self._known(self._cache, wanted)
        made = await self._made({key: spec for key, spec in wanted.items() if key not in known})
        await self._keep(self._cache, made)
        return {**known, **made}

    async def _made(self, wanted: "Mapping[_Key, FeatureSpec]") -> "dict[_Key, Vector]":
        if all(key.sparse and len(key.text) <= _SHORT for key in wanted):
            return self._embed_all(wanted)
        return await asyncio.to_thread(self._embed_all, wanted)

    async def _known(self, cache: EmbeddingCache, wanted: "Mapping[_Key, FeatureSpec]") -> "dict[_Key, Vector]":
        """What was embedded before. Words are not looked for: to weigh them is quicker."""
        known: dict[_Key, Vector] = {}
        for key in wanted:
            kept = None if key.sparse else await cache.find(key.model, key.text)
            if kept is not None:
                known[key] = Dense(kept)
        return known

    async def _keep(self, cache: EmbeddingCache, made: "Mapping[_Key, Vector]") -> None:
        for key, vector in made.items():
            if isinstance(vector, Dense):
                # Loaded by now: asking for it again is a look into a table.
                await cache.keep(key.model, self._models.embedder(key.model).info.version, key.text, vector.values)

    def _embed_all(self, wanted: "Mapping[_Key, FeatureSpec]") -> "dict[_Key, Vector]":
        """Each text by itself: within a batch the last bits of its vector would depend on its neighbours."""
        vectors: dict[_Key, Vector] = {}
        for key, spec in wanted.items():
            if key.sparse:
                vectors[key] = self._models.lexical().encode_query(key.text)
            elif spec.kind is VectorKind.MULTI_DENSE:
                vectors[key] = MultiDense(self._models.late_interaction(spec.inference_name).embed_query(key.text))
            else:
                vectors[key] = Dense(self._models.embedder(spec.inference_name).embed_query(key.text))
        return vectors

    async def _stored(self, principal: Principal, needs: Sequence[Need]) -> Mapping[str, Mapping[str, Vector]]:
        queries = [(need.query, need.loc) for need in needs if isinstance(need.query, DocumentQuery)]
        if not queries:
            return {}
        ids = sorted({query.document_id for query, _ in queries})
        documents, vectors = await self._metadata.read(
            lambda session: (session.documents.get_many(principal, ids), session.documents.vectors(principal, ids))
        )
        for query, _ in queries:
            document = documents.get(query.document_id)
            if document is None or query.collection_id not in (None, document.collection_id):
                raise NotFoundError.of("document", query.document_id)
        return vectors


@dataclass(frozen=True, slots=True)
class _Key:
    text: str
    sparse: bool
    model: str | None

    @classmethod
    def of(cls, spec: FeatureSpec, text: str) -> "_Key":
        sparse = spec.kind is VectorKind.SPARSE
        return cls(text, sparse, None if sparse else spec.inference_name)

    @classmethod
    def of_part(cls, spec: FeatureSpec, part: Part) -> "_Key":
        return cls(part.text or f"{spec.space} {part.digest}", False, spec.inference_name)


def _keys(need: Need, parts: Sequence[Part], texts: Sequence[str]) -> "list[_Key]":
    if need.spec.space is Space.TEXT:
        return [_Key.of(need.spec, text) for text in texts]
    return [_Key.of_part(need.spec, part) for part in parts]


def _pick(
    need: Need, keys: Sequence[_Key], embedded: Mapping[_Key, Vector], stored: Mapping[str, Mapping[str, Vector]]
) -> Vector | None:
    if isinstance(need.query, DocumentQuery):
        return stored.get(need.query.document_id, {}).get(need.spec.name)
    vector = combine([embedded[key] for key in keys])
    if isinstance(vector, Dense):
        _check_dimensions(vector.values, need)
        if need.spec.kind is VectorKind.MULTI_DENSE:
            return MultiDense(vector.values[None, :])
    return vector


def combine(vectors: Sequence[Vector]) -> Vector:
    """Several vectors of one feature as one query: the mean direction, all tokens, or the sum of the terms."""
    if len(vectors) == 1:
        return vectors[0]
    tokens = [vector.values for vector in vectors if isinstance(vector, MultiDense)]
    if tokens:
        return MultiDense(np.concatenate(tokens))
    rows = [vector.values for vector in vectors if isinstance(vector, Dense)]
    if rows:
        total = np.stack(rows).sum(axis=0, dtype=np.float64)
        unit: FloatArray = np.divide(total, float(np.linalg.norm(total)) or 1.0, dtype=np.float64).astype(np.float32)
        return Dense(unit)
    return _add_terms(vector for vector in vectors if isinstance(vector, Sparse))


def _add_terms(vectors: Iterable[Sparse]) -> Sparse:
    return _summed(
        (index, value)
        for vector in vectors
        for index, value in zip(vector.indices.tolist(), vector.values.tolist(), strict=True)
    )


def _summed(terms: Iterable[tuple[int, float]]) -> Sparse:
    """Raises: TypeError and OverflowError for indices that are none."""
    weights: dict[int, float] = {}
    for index, value in terms:
        weights[operator.index(index)] = weights.get(index, 0.0) + value
    indices = sorted(weights)
    return Sparse(np.array(indices, dtype=np.uint32), np.array([weights[i] for i in indices], dtype=np.float32))


def _given(need: Need) -> Vector:
    value = need.query.value if isinstance(need.query, VectorQuery) else None
    if need.spec.kind is VectorKind.SPARSE:
        return _terms(value, need)
    rows = _numbers(value, need)
    if rows.ndim == 2 and need.spec.kind is VectorKind.DENSE:
        if len(rows) != 1:
            raise ValidationError.at(list(need.loc), f"{need.spec.name!r} takes one vector, not {len(rows)}")
        rows = rows.reshape(-1)
    _check_dimensions(rows, need)
    if need.spec.kind is VectorKind.DENSE:
        return Dense(rows)
    return MultiDense(rows if rows.ndim == 2 else rows[None, :])


def _terms(value: Any, need: Need) -> Sparse:
    """An index that is named twice counts with the sum of its values."""
    try:
        parsed = orjson.loads(value) if isinstance(value, str) else value
        vector = _summed(zip(parsed["indices"], parsed["values"], strict=True))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        known = f"{need.spec.name!r} is asked with a text, or with {{indices: [...], values: [...]}} of the same length"
        raise ValidationError.at(list(need.loc), known) from error
    if not vector.values.size or not bool(np.isfinite(vector.values).all()):
        raise ValidationError.at(list(need.loc), "a sparse vector has at least one term, and its values are finite")
    return vector


def _numbers(value: Any, need: Need) -> FloatArray:
    try:
        parsed = orjson.loads(value) if isinstance(value, str) else value
        rows = np.array(parsed, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise ValidationError.at(list(need.loc), "a vector is a list of numbers, or a list of such lists") from error
    if rows.ndim not in (1, 2) or rows.size == 0:
        raise ValidationError.at(list(need.loc), "a vector is a list of numbers, or a list of such lists")
    if not bool(np.isfinite(rows).all()):
        raise ValidationError.at(list(need.loc), "a vector's numbers are finite")
    return rows


def _check_dimensions(rows: FloatArray, need: Need) -> None:
    expected, actual = need.spec.dimensions, rows.shape[-1]
    if expected is not None and actual != expected:
        raise DimensionMismatch.at(list(need.loc), f"{need.spec.name!r} has {expected} dimensions, not {actual}")
