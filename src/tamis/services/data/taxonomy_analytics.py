"""What a taxonomy said of documents: how often, how surely, which labels, and how often it was applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.taxonomies.taxonomy import Node
from tamis.errors import ValidationError
from tamis.model.principal import Principal
from tamis.model.taxonomy import AssignmentFigure, EnrichmentFigure, LabelFigure, Taxonomy
from tamis.services.data.taxonomies import find_taxonomy
from tamis.services.runs.labelling import definition_of

T = TypeVar("T")
GROUPS = {"hour": 3600, "day": 86_400, "week": 604_800}
MOST_GROUPS = 1000
MOST_OTHERS = 200
"""Labels that are no nodes, told beside the tree."""
LOW = 0.5
"""Below this a confidence is low."""
_USUAL = {"hour": timedelta(days=2), "day": timedelta(days=30), "week": timedelta(days=182)}


@dataclass(frozen=True, slots=True)
class Span:
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Series:
    taxonomy: Taxonomy
    span: Span
    assignments: Sequence[AssignmentFigure] = ()
    enrichments: Sequence[EnrichmentFigure] = ()


@dataclass(frozen=True, slots=True)
class Confidences:
    """tenths: (lower bound in tenths, labels).  low: labels below 0.5."""

    taxonomy: Taxonomy
    tenths: Sequence[tuple[int, int]]
    mean: float
    low: int


@dataclass(frozen=True, slots=True)
class Labels:
    """total: distinct labels.  count: of assignments, all labels together."""

    taxonomy: Taxonomy
    labels: Sequence[LabelFigure]
    total: int
    count: int


@dataclass(frozen=True, slots=True)
class Branch:
    """level: 1 is a root.  count: of labels.  is_node: of the taxonomy as it is now."""

    node_id: str
    label: str
    level: int
    parent: str | None = None
    count: int = 0
    mean_confidence: float | None = None
    is_node: bool = True


class TaxonomyAnalytics:
    """Over the labels that documents have today, by when they were given."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def assignments(
        self, principal: Principal, identifier: str, start: datetime | None, end: datetime | None, group_by: str
    ) -> Series:
        """Raises: NotFoundError, ValidationError naming the parameter."""
        span = self._span(start, end, group_by)

        def read(session: Session) -> Series:
            found = find_taxonomy(session, principal, identifier)
            spans = session.assignments.by_time(principal, found.taxonomy_id, span.start, span.end, GROUPS[group_by])
            return Series(found, span, assignments=spans)

        return await self._metadata.read(read)

    async def enrichments(
        self, principal: Principal, identifier: str, start: datetime | None, end: datetime | None, group_by: str
    ) -> Series:
        """Raises: NotFoundError, ValidationError naming the parameter."""
        span = self._span(start, end, group_by)

        def read(session: Session) -> Series:
            found = find_taxonomy(session, principal, identifier)
            hours = session.assignments.by_hour(principal, found.taxonomy_id, span.start, span.end)
            return Series(found, span, enrichments=_grouped(hours, GROUPS[group_by]))

        return await self._metadata.read(read)

    async def confidences(self, principal: Principal, identifier: str, hours: int) -> Confidences:
        """Raises: NotFoundError."""
        span = self._last(hours)

        def read(session: Session) -> Confidences:
            found = find_taxonomy(session, principal, identifier)
            tenths = session.assignments.by_confidence(principal, found.taxonomy_id, span.start, span.end)
            count = sum(labels for _, labels, _ in tenths)
            mean = sum(total for _, _, total in tenths) / count if count else 0.0
            low = sum(labels for tenth, labels, _ in tenths if tenth < LOW * 10)
            return Confidences(found, [(tenth, labels) for tenth, labels, _ in tenths], mean, low)

        return await self._metadata.read(read)

    async def labels(self, principal: Principal, identifier: str, hours: int, limit: int) -> Labels:
        """Raises: NotFoundError."""
        span = self._last(hours)

        def read(session: Session) -> Labels:
            found = find_taxonomy(session, principal, identifier)
            every = session.assignments.by_label(principal, found.taxonomy_id, span.start, span.end)
            return Labels(found, every[:limit], len(every), sum(one.count for one in every))

        return await self._metadata.read(read)

    async def tree(self, principal: Principal, identifier: str) -> tuple[Taxonomy, Sequence[Branch]]:
        """Every node below its parent, with today's labels of all times; then what has labels and is no node: documents
        that are labels, nodes of an earlier version. Raises: NotFoundError.
        """

        def read(session: Session) -> tuple[Taxonomy, Sequence[Branch]]:
            found = find_taxonomy(session, principal, identifier)
            return found, branches(found, session.assignments.by_node(principal, found.taxonomy_id))

        return await self._metadata.read(read)

    def _last(self, hours: int) -> Span:
        now = self._clock.now()
        return Span(now - timedelta(hours=hours), now + timedelta(seconds=1))

    def _span(self, start: datetime | None, end: datetime | None, group_by: str) -> Span:
        """Whole hours, as they are counted."""
        if group_by not in GROUPS:
            raise ValidationError.at(["query", "group_by"], f"one of {', '.join(GROUPS)}, not {group_by!r}")
        last = _floor(self._clock.now() if end is None else _aware(end)) + timedelta(hours=1)
        first = _floor(last - _USUAL[group_by] if start is None else _aware(start))
        if first >= last:
            raise ValidationError.at(["query", "start_date"], "before 'end_date', which is now where it is left out")
        if (last - first).total_seconds() > MOST_GROUPS * GROUPS[group_by]:
            message = f"at most {MOST_GROUPS} times the {group_by} of 'group_by' before 'end_date'"
            raise ValidationError.at(["query", "start_date"], message)
        return Span(first, last)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _grouped(hours: Sequence[EnrichmentFigure], span_s: int) -> Sequence[EnrichmentFigure]:
    found: dict[int, EnrichmentFigure] = {}
    for one in hours:
        start = int(one.start.timestamp()) // span_s * span_s
        moment = datetime.fromtimestamp(start, UTC)
        before = found.get(start, EnrichmentFigure(moment, 0, 0, 0))
        found[start] = EnrichmentFigure(
            moment, before.labelled + one.labelled, before.unlabelled + one.unlabelled,
            before.duration_us + one.duration_us,
        )  # fmt: skip
    return [found[start] for start in sorted(found)]


def branches(taxonomy: Taxonomy, figures: Mapping[str, LabelFigure]) -> list[Branch]:
    """Depth first; of one parent by id."""
    tree = definition_of(taxonomy.config).taxonomy()
    below: dict[str | None, list[Node]] = {}
    for node in tree.nodes:
        if not node.spread:
            below.setdefault(node.parent, []).append(node)
    found: list[Branch] = []
    waiting = [*reversed(below.get(None, []))]
    while waiting:
        node = waiting.pop()
        figure = figures.get(node.id)
        told = (figure.count, figure.mean_confidence) if figure is not None else (0, None)
        found.append(Branch(node.id, node.label, tree.levels[node.id], node.parent, *told))
        waiting.extend(reversed(below.get(node.id, [])))
    others = [(node_id, one) for node_id, one in figures.items() if node_id not in {branch.node_id for branch in found}]
    others = sorted(others, key=lambda one: (-one[1].count, one[0]))[:MOST_OTHERS]
    return found + [
        Branch(node_id, one.label, 1, None, one.count, one.mean_confidence, is_node=False) for node_id, one in others
    ]
