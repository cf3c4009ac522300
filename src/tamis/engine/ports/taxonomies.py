"""Stored taxonomies, their versions, and what they said of documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.taxonomy import Assignment, AssignmentFigure, EnrichmentFigure, LabelFigure, TaxonomyVersion


class Taxonomies(Protocol):
    """As stages reach them."""

    async def definition(self, principal: Principal, identifier: str) -> Mapping[str, JSON]:
        """As `engine.taxonomy_definition` reads it. identifier: id or name.  Raises: NotFoundError, ValidationError."""
        ...


class TaxonomyVersions(Protocol):
    """What each version of a taxonomy says, as long as the taxonomy is there."""

    def put(self, principal: Principal, taxonomy_id: str, version: TaxonomyVersion) -> None:
        """One that is there stays as it is."""
        ...

    def get(self, principal: Principal, taxonomy_id: str, version: int) -> TaxonomyVersion | None: ...
    def list(self, principal: Principal, taxonomy_id: str) -> Sequence[TaxonomyVersion]:
        """Newest first."""
        ...

    def delete(self, principal: Principal, taxonomy_id: str) -> int: ...


class Assignments(Protocol):
    """The labels that documents have today, and how often taxonomies were applied. Labels go with their documents, and
    when these are replaced whole.

    Times: from `since` on, before `until`.
    """

    def put(
        self, principal: Principal, taxonomy_id: str, collection_id: str, document_ids: Sequence[str],
        assignments: Sequence[Assignment], at: datetime,
    ) -> None:  # fmt: skip
        """In place of all labels that these documents have of the taxonomy. Those of documents that are gone are
        left out.
        """
        ...

    def note(
        self, principal: Principal, taxonomy_id: str, at: datetime, labelled: int, unlabelled: int, duration_us: int
    ) -> None:
        """That it was applied to so many documents."""
        ...

    def delete(self, principal: Principal, taxonomy_id: str) -> int:
        """All that it said; how many labels there were."""
        ...

    def by_time(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime, span_s: int
    ) -> Sequence[AssignmentFigure]:
        """Spans with labels, oldest first; spans count from 1970."""
        ...

    def by_label(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime, limit: int | None = None
    ) -> Sequence[LabelFigure]:
        """The most frequent first, then by label."""
        ...

    def by_node(self, principal: Principal, taxonomy_id: str) -> Mapping[str, LabelFigure]:
        """By node id, of all times."""
        ...

    def by_confidence(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime
    ) -> Sequence[tuple[int, int, float]]:
        """(tenth, labels, sum of their confidences), the lowest first; what is 1 and more is in tenth 9."""
        ...

    def by_hour(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime
    ) -> Sequence[EnrichmentFigure]:
        """Hours in which it was applied, oldest first."""
        ...

    def best_of(
        self, principal: Principal, taxonomy_id: str, collection_id: str, after: str, limit: int
    ) -> Sequence[Assignment]:
        """The best label of each document of a collection, by document id, of those that come after this one."""
        ...
