"""Stored taxonomies, and what they said of documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The newest version of it.

    config: as it is on the wire, with the nodes that were inferred among its own.
    """

    taxonomy_id: str
    name: str
    config: Mapping[str, JSON]
    created_at: datetime
    updated_at: datetime
    version: int = 1
    description: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def snapshot(self) -> "TaxonomyVersion":
        return TaxonomyVersion(self.version, self.config, self.updated_at)

    def at(self, version: "TaxonomyVersion") -> "Taxonomy":
        """As it was then, under today's name."""
        return replace(self, version=version.version, config=version.config, updated_at=version.created_at)


@dataclass(frozen=True, slots=True)
class TaxonomyVersion:
    """What a version says never changes."""

    version: int
    config: Mapping[str, JSON]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """One label of a document. rank: 0 is the best.  level: 1 is a root.  version: of the taxonomy."""

    document_id: str
    node_id: str
    label: str
    confidence: float
    level: int
    rank: int
    version: int


@dataclass(frozen=True, slots=True)
class LabelFigure:
    label: str
    count: int
    mean_confidence: float


@dataclass(frozen=True, slots=True)
class AssignmentFigure:
    """start: of a span of time."""

    start: datetime
    count: int
    labels: int
    mean_confidence: float


@dataclass(frozen=True, slots=True)
class EnrichmentFigure:
    """Of the documents that a taxonomy was applied to in an hour. duration_us: all of them together."""

    start: datetime
    labelled: int
    unlabelled: int
    duration_us: int
