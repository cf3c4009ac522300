"""One execution's page: the record's facts, its stages as a sieve, and one stage's documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.executions.record import PAGINATION, Record, RecordedStage
from tamis.executions.sieve import Group, StageFlow
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Permission
from tamis.services.data.blob_links import BlobLinks
from tamis.services.records.sieves import ExecutionSieve, SieveService, StageView
from tamis.studio.cards import Card, Cards
from tamis.studio.drawing import Segment, Span, segments, spans
from tamis.studio.marking import terms_of, texts_in
from tamis.studio.security import HEADERS
from tamis.studio.sign_in import remember_namespace
from tamis.studio.visit import Visit

PAGE_SIZE = 10
_LARGEST_INPUTS = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of the pipeline. The rest is None where it did not begin."""

    place: int
    name: str
    stage_id: str
    ran: RecordedStage | None = None
    flow: StageFlow | None = None
    segment: Segment | None = None
    span: Span | None = None

    @property
    def outcome(self) -> str:
        return self.ran.outcome.value if self.ran else "not_reached"


async def show(visit: Visit) -> Response:
    execution_id = visit.request.path_params["execution_id"]
    view = _view(visit)
    visit, found = await _found(visit, execution_id, view)
    values = _values(visit, found)
    if visit.asked("following") and not values["is_running"]:
        # What stands above the stages has changed, too.
        return Response(status_code=204, headers={**HEADERS, "hx-refresh": "true"})
    template = "_run.html" if visit.is_partial else "execution.html"
    response = visit.page(template, **values)
    remember_namespace(visit.request, response, visit.namespace.namespace_id)
    return response


async def outcome(visit: Visit) -> Response:
    """Of a run of the playground: its sieve, and where its page is."""
    _, found = await _found(visit, visit.asked("id"), None)
    return visit.page("_outcome.html", **_values(visit, found))


async def _found(visit: Visit, execution_id: str, view: StageView | None) -> tuple[Visit, ExecutionSieve]:
    """Raises: NotFoundError."""
    return await visit.found(
        "execution", lambda inside: inside.service(SieveService).sieve(inside.principal, execution_id, view)
    )


def _view(visit: Visit) -> StageView | None:
    """Raises: BadRequestError naming the part of the address."""
    stage = visit.asked("stage")
    if not stage:
        return None
    group, page = visit.asked("group", Group.RETURNED.value), visit.asked("page", "1")
    if not (stage.isascii() and stage.isdigit()) or len(stage) > 4:
        raise BadRequestError("stage: a place in the pipeline, from 0", field="stage")
    if group not in list(Group):
        raise BadRequestError(f"group: one of {', '.join(Group)}", field="group")
    if not (page.isascii() and page.isdigit()) or int(page[:9]) < 1:
        raise BadRequestError("page: a number from 1", field="page")
    return StageView(int(stage), Group(group), (int(page[:9]) - 1) * PAGE_SIZE, PAGE_SIZE)


def _values(visit: Visit, found: ExecutionSieve) -> dict[str, Any]:
    record = found.record
    rows, outside = _rows(found)
    inputs = _inputs(found)
    shown = found.stage
    stage = record.stages[shown.view.place] if shown else None
    cards: Sequence[Card] = ()
    if shown and stage:
        terms = terms_of([*texts_in(inputs), *_queries(record)])
        cards = Cards(visit.service(BlobLinks), visit.principal, terms).of(record, shown)
    return {
        "record": record,
        "header": record.header,
        "retriever_name": found.retriever_name,
        "collections": _collections(found),
        "rows": rows,
        "outside": outside,
        "outside_ms": max(0.0, record.header.duration_ms - sum(one.duration_ms for one in record.stages)),
        "inputs": inputs,
        "is_running": record.header.status is ExecutionStatus.PROCESSING,
        "tokens": _tokens(record),
        "credits_saved": sum(one.credits_saved for one in record.stages),
        "stage": stage,
        "shown": shown,
        "cards": cards,
        "metadata": _metadata(stage),
        "groups": list(Group),
        "page_size": PAGE_SIZE,
        "address": f"/executions/{record.header.execution_id}",
        "may_write": visit.principal.may(Permission.WRITE),
    }


def _rows(found: ExecutionSieve) -> tuple[list[Row], Span]:
    record = found.record
    drawn = segments(found.flows)
    times, outside = spans(record.stages, record.header.duration_ms)
    ran = {
        stage.index: (stage, flow, segment, span)
        for stage, flow, segment, span in zip(record.stages, found.flows, drawn, times, strict=True)
    }
    rows = []
    for place, spec in enumerate(_specs(record)):
        known = ran.get(place)
        name, stage_id = str(spec.get("stage_name")), str(spec.get("stage_id"))
        rows.append(Row(place, name, stage_id, *known) if known else Row(place, name, stage_id))
    return rows, outside


def _specs(record: Record) -> list[Mapping[str, Any]]:
    stages = record.definition.get("stages")
    return [one for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []


def _inputs(found: ExecutionSieve) -> Any:
    if len(found.inputs) > _LARGEST_INPUTS:
        return dict(found.record.inputs)
    try:
        return orjson.loads(found.inputs)
    except orjson.JSONDecodeError:
        return dict(found.record.inputs)


def _queries(record: Record) -> list[str]:
    """What searches asked, after templating; also what a stage made of the inputs before."""
    return [
        text
        for stage in record.stages
        for search in _searches(stage)
        for text in texts_in(search.get("query"))
    ]  # fmt: skip


def _searches(stage: RecordedStage) -> list[Mapping[str, Any]]:
    found = stage.parameters.get("searches")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _collections(found: ExecutionSieve) -> list[dict[str, Any]]:
    shown = []
    for one in found.record.collections:
        name, revision = found.collections.get(one.collection_id, (None, None))
        shown.append({"id": one.collection_id, "name": name, "revision": one.revision, "now": revision})
    return shown


def _tokens(record: Record) -> int | None:
    counted = [one.tokens_used for one in record.stages if one.tokens_used is not None]
    return sum(counted) if counted else None


def _metadata(stage: RecordedStage | None) -> dict[str, Any]:
    return {} if stage is None else {name: value for name, value in stage.metadata.items() if name != PAGINATION}
