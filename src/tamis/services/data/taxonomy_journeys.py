"""How documents go from one label of a taxonomy to another: steps, transitions, paths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tamis.engine.groups.grouping import value_at
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.taxonomies.journeys import (
    Durations,
    Event,
    Lift,
    PathFigure,
    Sequences,
    StepFigure,
    bins,
    durations,
    lifts,
    passages,
    paths,
    sequences_of,
    steps,
)
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import parse_filter
from tamis.model.instants import instant
from tamis.model.json import JSON
from tamis.model.matching import patient
from tamis.model.principal import Principal
from tamis.model.taxonomy import Assignment, Taxonomy
from tamis.services.data.collections import require_collection
from tamis.services.data.taxonomies import find_taxonomy

_CHUNK = 500
_BINS = {"quartiles": 4, "deciles": 10}


@dataclass(frozen=True, slots=True)
class JourneyQuery:
    """start, end: steps.  window_days: within which one arrives; None is any time.  matching: of documents, as sent.

    least: sequences that a finding rests on.  longest: steps of a path.  analytics: in place of the taxonomy's own.
    """

    taxonomy: str
    collection: str
    start: str
    end: str
    window_days: int | None = None
    matching: Mapping[str, JSON] | None = None
    least: int = 10
    longest: int = 10
    analytics: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """events: documents that are in a sequence.  left_out: documents without a step, a sequence or a time.

    too_long: sequences that last longer than the taxonomy lets them.
    """

    taxonomy: Taxonomy
    collection: Collection
    sequences: Sequences = field(default_factory=dict)
    events: int = 0
    left_out: int = 0
    too_long: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """count: sequences that have the first step.  is_supported: whether they are as many as were asked for."""

    gathered: Gathered
    count: int
    converted: int
    durations: Durations | None
    predictors: Sequence[Lift]
    is_supported: bool


@dataclass(frozen=True, slots=True)
class Paths:
    count: int
    arrived: int
    paths: Sequence[PathFigure]


class TaxonomyJourneys:
    """Cost of each: one pass over the collection's labelled documents."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def steps(
        self, principal: Principal, taxonomy: str, collection: str
    ) -> tuple[Gathered, Sequence[StepFigure]]:
        """Raises: NotFoundError; ValidationError where the taxonomy says nothing of sequences."""
        gathered = await self._gathered(principal, JourneyQuery(taxonomy, collection, "", ""))
        return gathered, steps(gathered.sequences)

    async def transition(self, principal: Principal, query: JourneyQuery) -> Transition:
        """Raises: as `steps`."""
        gathered = await self._gathered(principal, query)
        found = passages(gathered.sequences, query.start, query.end, _window(query))
        arrived = [one for one in found if one.end is not None]
        is_supported = len(found) >= query.least
        predictors = lifts(found) if is_supported else []
        return Transition(gathered, len(found), len(arrived), durations(arrived), predictors, is_supported)

    async def paths(self, principal: Principal, query: JourneyQuery) -> Paths:
        """Raises: as `steps`."""
        gathered = await self._gathered(principal, query)
        found = passages(gathered.sequences, query.start, query.end, _window(query))
        arrived = [one for one in found if one.end is not None]
        return Paths(len(found), len(arrived), paths(arrived, query.longest, query.least))

    async def _gathered(self, principal: Principal, query: JourneyQuery) -> Gathered:
        wanted = parse_filter(query.matching, ["body", "filters"])
        is_meant = None if wanted is None else patient(wanted, ("body", "filters"))

        def read(session: Session) -> Gathered:
            taxonomy = find_taxonomy(session, principal, query.taxonomy)
            collection = require_collection(session, principal, query.collection)
            analytics = _analytics(taxonomy, query.analytics)
            known = [
                (document, label)
                for document, label in _labelled(session, principal, taxonomy, collection)
                if is_meant is None or is_meant(document.dated_view())
            ]
            events = [event for document, label in known if (event := _event(document, label, analytics)) is not None]
            days = analytics.get("max_sequence_duration_days")
            longest = timedelta(days=days) if isinstance(days, int) else None
            sequences, too_long = sequences_of(_described(events, known, analytics), longest)
            return Gathered(taxonomy, collection, sequences, len(events), len(known) - len(events), too_long)

        return await self._metadata.read(read)


def _window(query: JourneyQuery) -> timedelta | None:
    return None if query.window_days is None else timedelta(days=query.window_days)


def _analytics(taxonomy: Taxonomy, instead: Mapping[str, Any] | None) -> Mapping[str, Any]:
    found = taxonomy.config.get("step_analytics") if instead is None else instead
    if not isinstance(found, Mapping):
        message = "this taxonomy says nothing of sequences: give its config `step_analytics`, or send them along"
        raise ValidationError.at(["body", "override_step_analytics"], message)
    return found


def _labelled(
    session: Session, principal: Principal, taxonomy: Taxonomy, collection: Collection
) -> Iterator[tuple[Document, Assignment]]:
    """Documents with their best label, by id."""
    after, own = "", collection.collection_id
    while some := session.assignments.best_of(principal, taxonomy.taxonomy_id, own, after, _CHUNK):
        documents = session.documents.get_many(principal, [one.document_id for one in some])
        yield from ((documents[one.document_id], one) for one in some if one.document_id in documents)
        after = some[-1].document_id


def _event(document: Document, label: Assignment, analytics: Mapping[str, Any]) -> Event | None:
    view = document.dated_view()
    sequence, when = (value_at(view, str(analytics[name])) for name in ("sequence_id_field", "timestamp_field"))
    at = instant(when) if isinstance(when, str) else None
    step = _step(view, label, analytics)
    if sequence is None or at is None or step is None:
        return None
    return Event(str(sequence), step, at, document.document_id)


def _step(view: Mapping[str, JSON], label: Assignment, analytics: Mapping[str, Any]) -> str | None:
    source = analytics.get("step_key_source") or "assignment_label"
    if source == "field_path":
        value = value_at(view, str(analytics["step_key_field_path"]))
        return None if value is None else str(value)
    return label.node_id if source == "assignment_node_id" else label.label


def _described(
    events: Sequence[Event], known: Sequence[tuple[Document, Assignment]], analytics: Mapping[str, Any]
) -> Iterator[Event]:
    """The events with what their documents have of the covariates."""
    views = {document.document_id: document.dated_view() for document, _ in known}
    found = {one.document_id: views[one.document_id] for one in events}
    named = [(str(one["name"]), _namer(one, found)) for one in analytics.get("covariates") or ()]
    for event in events:
        values = {name: value for name, namer in named if (value := namer(found[event.document_id])) is not None}
        yield Event(event.sequence, event.step, event.at, event.document_id, values)


def _namer(
    covariate: Mapping[str, Any], views: Mapping[str, Mapping[str, JSON]]
) -> Callable[[Mapping[str, JSON]], str | None]:
    """What a document is counted under: its value, or the part of all numbers that it lies in."""
    path = str(covariate["field_path"])
    if covariate.get("covariate_type") != "numeric":
        return lambda view: None if (value := value_at(view, path)) is None else str(value)
    numbers = [number for view in views.values() if (number := _number(value_at(view, path))) is not None]
    called = bins(numbers, _BINS[covariate.get("binning_strategy") or "quartiles"])
    return lambda view: None if (number := _number(value_at(view, path))) is None else called(number)


def _number(value: JSON) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
