"""What is worked out from the vectors of documents in the system of record: diversity and late interaction.

The vectors themselves do not leave it: a record keeps what was chosen and scored, not megabytes of numbers.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Metadata
from tamis.engine.querying.features import feature_uris, resolve_feature
from tamis.engine.searching.diversity import Metric, Pick, choose, field_likeness, mixed, vector_likeness
from tamis.engine.searching.late_interaction import max_sim
from tamis.errors import DimensionMismatch, ValidationError
from tamis.model.collection import Collection
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, MultiDense, Vector, VectorKind

_Stored = Mapping[str, Mapping[str, Vector]]


@dataclass(frozen=True, slots=True)
class Diversity:
    """Candidates by id with their relevance; `count` of them are to be chosen.

    features: URI or output name and weight; None is the only dense feature of each collection.
    fields: weight and the candidates' values, for each field that counts.
    """

    document_ids: tuple[str, ...]
    relevance: tuple[float, ...]
    collections: tuple[Collection, ...]
    balance: float
    count: int
    metric: Metric = "cosine"
    features: tuple[tuple[str | None, float], ...] = ()
    fields: tuple[tuple[float, tuple[JSON, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Diverse:
    """picks: in the order chosen.  without: candidates that have none of the vectors; they were not chosen among."""

    picks: tuple[Pick, ...]
    without: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LateInteraction:
    """A text against the token vectors of documents. feature_uri: of a multivector feature of the collections."""

    feature_uri: str
    query: str
    document_ids: tuple[str, ...]
    collections: tuple[Collection, ...]


class StoredVectors:
    def __init__(self, metadata: Metadata, models: Models) -> None:
        self._metadata = metadata
        self._models = models

    async def diversify(self, principal: Principal, asked: Diversity) -> Diverse:
        """Raises: ValidationError where no collection has the feature."""
        names = [dense_names(asked.collections, uri) for uri, _ in asked.features]
        stored = await self._read(principal, asked.document_ids) if names else {}
        return await asyncio.to_thread(_diverse, asked, names, stored)

    async def late_interaction(self, principal: Principal, asked: LateInteraction) -> dict[str, float]:
        """MaxSim of each document that has token vectors, by id.

        Raises: ValidationError where the feature is none of token vectors, DimensionMismatch, ModelMissingError.
        """
        specs = _multivectors(asked)
        stored = await self._read(principal, asked.document_ids)
        return await asyncio.to_thread(self._max_sims, asked.query, specs, stored)

    async def _read(self, principal: Principal, document_ids: Sequence[str]) -> _Stored:
        return await self._metadata.read(lambda session: session.documents.vectors(principal, document_ids))

    def _max_sims(self, text: str, specs: Sequence[FeatureSpec], stored: _Stored) -> dict[str, float]:
        queries = {spec: self._models.late_interaction(spec.inference_name).embed_query(text) for spec in specs}
        found: dict[str, float] = {}
        for document_id, vectors in stored.items():
            for spec, query in queries.items():
                vector = vectors.get(spec.name)
                if isinstance(vector, MultiDense) and len(vector.values):
                    _check_same_length(query, vector.values, spec)
                    found[document_id] = max_sim(query, _unit(vector.values))
                    break
        return found


def _diverse(asked: Diversity, names: Sequence[frozenset[str]], stored: _Stored) -> Diverse:
    rows = [[dense(stored.get(one, {}), name) for one in asked.document_ids] for name in names]
    whole = [n for n in range(len(asked.document_ids)) if all(row[n] is not None for row in rows)]
    parts = [(weight, field_likeness([values[n] for n in whole])) for weight, values in asked.fields]
    for (_, weight), row in zip(asked.features, rows, strict=True):
        values = [one for n in whole if (one := row[n]) is not None]
        if len({len(value) for value in values}) > 1:
            raise DimensionMismatch.at(
                ["parameters", "diversity_feature_uri"],
                "the candidates' vectors are not of one length: they come from different models",
            )
        if values:
            parts.append((weight, vector_likeness(np.stack(values), asked.metric)))
    relevance = [asked.relevance[n] for n in whole]
    picks = choose(relevance, mixed(parts), asked.balance, asked.count) if whole else []
    without = tuple(sorted(set(range(len(asked.document_ids))).difference(whole)))
    return Diverse(tuple(Pick(whole[one.place], one.relevance, one.penalty, one.score) for one in picks), without)


def dense(vectors: Mapping[str, Vector], names: frozenset[str]) -> FloatArray | None:
    """float32 [dim], of the first feature that goes by one of these names."""
    found = (vector.values for name, vector in vectors.items() if name in names and isinstance(vector, Dense))
    return next(found, None)


def dense_names(
    collections: Sequence[Collection], uri: str | None, parameter: str = "diversity_feature_uri"
) -> frozenset[str]:
    """Under which names the documents of these collections keep the feature; None is their only dense one.

    parameter: that names the feature, for the error.  Raises: ValidationError.
    """
    loc: list[str | int] = ["parameters", parameter]
    if uri is not None and uri.startswith("mixpeek://"):
        specs = [spec for _, spec in resolve_feature(uri, collections, loc=loc).targets]
    else:
        specs = [spec for one in collections for spec in one.features if uri is None or _is_called(spec, uri)]
    dense = frozenset(spec.name for spec in specs if spec.kind is VectorKind.DENSE)
    if not dense:
        raise ValidationError.at(loc, f"{_wanted(uri)}; the features there are: {_known(collections)}")
    if uri is None and len(dense) > 1:
        raise ValidationError.at(loc, f"name one of the features that there are: {_known(collections)}")
    return dense


def _wanted(uri: str | None) -> str:
    return "no collection given has a dense feature" + (f" {uri!r}" if uri else "")


def _is_called(spec: FeatureSpec, name: str) -> bool:
    last = name.rpartition(".")[2]
    return last == spec.name or last in spec.aliases


def _multivectors(asked: LateInteraction) -> list[FeatureSpec]:
    loc: list[str | int] = ["parameters", "feature_uri"]
    targets = resolve_feature(asked.feature_uri, asked.collections, loc=loc).targets
    specs = list(dict.fromkeys(spec for _, spec in targets if spec.kind is VectorKind.MULTI_DENSE))
    if not specs:
        raise ValidationError.at(
            loc,
            f"{asked.feature_uri!r} has one vector a document, and late interaction needs one a token: a collection "
            "stores them where its text_extractor has the parameter token_vectors: true",
        )
    return specs


def _known(collections: Sequence[Collection]) -> str:
    return ", ".join(sorted({uri for one in collections for uri in feature_uris(one)})) or "none at all"


def _check_same_length(query: FloatArray, document: FloatArray, spec: FeatureSpec) -> None:
    if query.shape[1] != document.shape[1]:
        message = f"{spec.name!r} has {document.shape[1]} dimensions, and its model now gives {query.shape[1]}"
        raise DimensionMismatch.at(["parameters", "feature_uri"], message)


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return unit
