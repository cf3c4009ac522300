"""What a clustering works on: rows of vectors in a file, or values of attributes, in one pass over the record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Event

import numpy as np

from tamis.engine.clustering.large_partition import MAX_ROWS
from tamis.engine.groups.grouping import identity, value_at
from tamis.engine.ports.metadata import Session
from tamis.engine.searching.stored_vectors import dense
from tamis.errors import ClusteringError
from tamis.model.cluster import VectorSettings
from tamis.model.document import Document
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import FloatArray

_CHUNK = 500


class GatheringStopped(Exception):
    """Whoever wanted it does not any more."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which documents: those of these collections that the filter lets in. stop: set where nobody waits any more."""

    principal: Principal
    collection_ids: tuple[str, ...]
    matching: Filter | None
    stop: Event


@dataclass(slots=True)
class Gathered:
    """documents: (id, collection) of each row, by collection and id.  without: those that lack a vector or a value."""

    documents: list[tuple[str, str]] = field(default_factory=list)
    without: list[tuple[str, str]] = field(default_factory=list)
    dim: int = 0


def gather_rows(
    session: Session, scope: Scope, settings: VectorSettings, names: Sequence[frozenset[str]], path: Path
) -> Gathered:
    """Write float32 [n, dim] to the path. names: under which documents keep each feature.

    Several features stand side by side, each scaled by the root of its weight, so that squared distances add up by it.
    Raises: ClusteringError (unlike lengths, too many), GatheringStopped.
    """
    found = Gathered()
    with path.open("wb") as file:
        documents = _documents(session, scope)
        while chunk := list(islice(documents, _CHUNK)):
            stored = session.documents.vectors(scope.principal, [one.document_id for one in chunk])
            for document in chunk:
                key = (document.document_id, document.collection_id)
                parts = [dense(stored.get(document.document_id, {}), one) for one in names]
                row = feature_row(parts, settings)
                if row is None:
                    found.without.append(key)
                    continue
                _check_length(found, row)
                file.write(row.astype("<f4", copy=False).tobytes())
                found.documents.append(key)
    return found


def _documents(session: Session, scope: Scope) -> Iterator[Document]:
    count = 0
    for collection_id in sorted(scope.collection_ids):
        for document in session.documents.scan(scope.principal, collection_id, scope.matching):
            if scope.stop.is_set():
                raise GatheringStopped
            count += 1
            if count > MAX_ROWS:
                raise ClusteringError(f"there are more than {MAX_ROWS} documents: say which are meant by filters")
            yield document


def feature_row(parts: Sequence[FloatArray | None], settings: VectorSettings) -> FloatArray | None:
    """One document's features as one row; None where it lacks one of them."""
    present = [part for part in parts if part is not None]
    if len(present) < len(parts):
        return None
    if len(present) == 1:
        return present[0]
    weights = [float(np.sqrt(settings.weights.get(name, 1.0))) for name in settings.features]
    scaled = [_scaled(part, weight, settings.normalizes) for part, weight in zip(present, weights, strict=True)]
    return np.concatenate(scaled)


def _scaled(part: FloatArray, weight: float, normalizes: bool) -> FloatArray:
    length = float(np.linalg.norm(part)) if normalizes else 1.0
    return (part * np.float32(weight / (length or 1.0))).astype(np.float32)


def _check_length(found: Gathered, row: FloatArray) -> None:
    found.dim = found.dim or len(row)
    if len(row) != found.dim:
        raise ClusteringError(
            f"the documents' vectors are of {found.dim} and of {len(row)} numbers: they come from different models; "
            "cluster one of the features"
        )


@dataclass(frozen=True, slots=True)
class ValueGroup:
    """values: of each attribute, in order.  documents: (id, collection), by collection and id."""

    values: tuple[JSON, ...]
    documents: tuple[tuple[str, str], ...]


def gather_values(session: Session, scope: Scope, attributes: Sequence[str]) -> tuple[list[ValueGroup], Gathered]:
    """Documents of equal values, the largest group first, ties by the values. Raises: as `gather_rows`."""
    found = Gathered()
    values: dict[bytes, tuple[JSON, ...]] = {}
    members: dict[bytes, list[tuple[str, str]]] = {}
    for document in _documents(session, scope):
        key = (document.document_id, document.collection_id)
        own = _values(document.view(), attributes)
        if own is None:
            found.without.append(key)
            continue
        found.documents.append(key)
        same = identity([*own])
        values.setdefault(same, own)
        members.setdefault(same, []).append(key)
    order = sorted(members, key=lambda one: (-len(members[one]), one))
    return [ValueGroup(values[one], tuple(members[one])) for one in order], found


def _values(view: Mapping[str, JSON], attributes: Sequence[str]) -> tuple[JSON, ...] | None:
    own = tuple(value_at(view, path) for path in attributes)
    return None if any(value is None for value in own) else own
