"""A recorded run set up again: its plan, its collections, its documents, as far as they are still known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine.environment import Environment
from tamis.engine.planning.definition import from_json
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Session
from tamis.engine.run import RunRequest
from tamis.engine.running.inquiry import Inquiry, brings
from tamis.engine.templating.sandbox import Named
from tamis.errors import NotFoundError, ValidationError
from tamis.executions.record import Record, RecordedHit
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.records.large_values import LargeValues


@dataclass(frozen=True, slots=True)
class PastRun:
    """record: with its large values in place.  plan: None where its definition can no longer be planned."""

    principal: Principal
    record: Record
    definition: Mapping[str, Any]
    inputs: dict[str, JSON]
    collections: tuple[Collection, ...]
    plan: Plan | None

    @property
    def narrowing(self) -> Filter | None:
        """What its caller saw only a part by."""
        return parse_filter(self.record.narrowing)

    def request(self) -> RunRequest:
        """To run it, or a changed one, once more: for the same caller."""
        caller = replace(self.principal, narrowing=self.narrowing) if self.record.narrowing else self.principal
        return RunRequest(
            caller, new_id("exec"), self.inputs, self.collections, retriever_id=self.record.header.retriever_id
        )

    def parameters(self, position: int) -> Mapping[str, Any]:
        """Of a stage that began, after templating."""
        return self.record.stages[position].parameters

    def brings(self) -> list[bool]:
        """Whether each stage that began may find documents of its own."""
        stages = self.plan.stages if self.plan else ()
        return [
            brings(stages[stage.index] if stages else None, self.parameters(n), stage.index)
            for n, stage in enumerate(self.record.stages)
        ]

    def inquiry(self, environment: Environment) -> Inquiry:
        declared = dict.fromkeys(self.plan.declared) if self.plan else {}
        scope = {"INPUT": Named("INPUT", {**declared, **self.inputs})}
        return Inquiry(environment, self.request(), self.record.seed, scope)


def past_run(session: Session, principal: Principal, planner: Planner, record: Record) -> PastRun:
    """Set a record up. Collections that are gone are left out."""
    large = LargeValues(session, principal)
    definition, inputs = large.restored(dict(record.definition)), large.restored(dict(record.inputs))
    return planned(session, principal, planner, record, definition, inputs)


def planned(
    session: Session, principal: Principal, planner: Planner, record: Record, definition: Mapping[str, Any],
    inputs: dict[str, JSON],
) -> PastRun:  # fmt: skip
    """The same run, or one of a changed definition."""
    wanted = from_json(definition)
    found = [session.collections.get(principal, one) for one in wanted.collection_ids]
    collections = tuple(one for one in found if one is not None)
    plan: Plan | None = None
    try:
        plan = planner.plan(wanted, collections, inputs)
    except (ValidationError, NotFoundError):
        plan = None
    return PastRun(principal, record, definition, inputs, collections, plan)


def documents_of(session: Session, principal: Principal, record: Record, ids: Sequence[str]) -> Mapping[str, Document]:
    """As the run saw them, where that is still known, else as they are now."""
    now = session.documents.get_many(principal, ids)
    wanted = [(one, record.revisions[one]) for one in ids if one in record.revisions]
    then = session.history.documents(principal, wanted)
    return {**now, **{document.document_id: document for document in then.values()}}


def hits_of(recorded: Sequence[RecordedHit], documents: Mapping[str, Document]) -> Hits:
    """Recorded hits with their documents; one that is gone has none."""
    return Hits.of(
        Hit(hit.id, hit.score, documents.get(hit.id) if hit.is_document else None, hit.scores, hit.extra)
        for hit in recorded
    )
