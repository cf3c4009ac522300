"""The playground: a pipeline put together by hand, planned while it is written, run without being saved."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from starlette.responses import Response

from tamis.engine.events import Sink
from tamis.engine.forecasting.advice import suggestions, warnings
from tamis.engine.planning.definition import parse_stages
from tamis.errors import BadRequestError, TamisError, ValidationError
from tamis.model.collection import Collection
from tamis.model.feature_uri import FeatureUri
from tamis.model.json import JSON
from tamis.model.retriever import Budget, Definition, StageSpec
from tamis.model.template import Template
from tamis.services.data.collections import CollectionService
from tamis.services.listing import ListQuery
from tamis.services.records.sieves import PastRequest, SieveService
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.explain import ExplainService
from tamis.services.runs.retrievers import RetrieverDraft, RetrieverService
from tamis.services.runs.stage_catalogue import StageCatalogue
from tamis.studio import fields, snippets
from tamis.studio.asking import asked_by_document
from tamis.studio.run_events import RunEvents
from tamis.studio.stage_forms import Catalogue, StageForm, read_pipeline
from tamis.studio.visit import Visit

_MOST_COLLECTIONS = 500
_TYPES: Sequence[tuple[type, str]] = (
    (bool, "boolean"), (int, "number"), (float, "number"), (str, "text"), (list, "array"), (dict, "object"),
)  # fmt: skip


async def show(visit: Visit) -> Response:
    collections = await _collections(visit)
    definition, inputs = await _start(visit, collections)
    catalogue = _catalogue(visit)
    known = {one.collection_id for one in collections}
    return visit.page(
        "playground.html",
        forms=[catalogue.form(_uid(), spec) for spec in definition.stages],
        catalogue=catalogue.stages,
        collections=collections,
        chosen=set(definition.collection_ids),
        gone=[one for one in definition.collection_ids if one not in known],
        inputs=inputs,
        schema=definition.input_schema,
        budget=definition.budget,
        features=_features(collections),
        source=visit.asked("from"),
    )


async def stage(visit: Visit) -> Response:
    """One more stage, with parameters that are right to begin with."""
    catalogue, stage_id = _catalogue(visit), visit.asked("stage_id")
    kind, _ = catalogue.find(stage_id)
    example: Mapping[str, Any] = getattr(kind, "example", None) or {}
    return visit.page("_stage_form.html", form=catalogue.form(_uid(), StageSpec(stage_id, stage_id, dict(example))))


async def pipeline(visit: Visit) -> Response:
    """Stages that were written as JSON, as forms; what is wrong with it is told beside it, and the forms stay."""
    try:
        return visit.page("_stages.html", forms=_forms(visit, visit.field("json")))
    except TamisError as error:
        response = visit.page("_problem.html", error.status, message="; ".join(_problems(error)))
        response.headers.update({"hx-retarget": "#pipeline-problem", "hx-reswap": "innerHTML"})
        return response


def _forms(visit: Visit, text: str) -> list[StageForm]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"not valid JSON: {error}", field="json") from None
    stages = value.get("stages") if isinstance(value, dict) else value
    if not isinstance(stages, list):
        raise BadRequestError("a list of stages, or an object with 'stages'", field="json")
    catalogue = _catalogue(visit)
    return [catalogue.form(_uid(), spec) for spec in parse_stages(stages)]


async def written(visit: Visit) -> Response:
    """The forms as the JSON that a program would send."""
    definition, inputs = _read(visit)
    return visit.page("_pipeline_json.html", body=snippets.body_of(definition, inputs))


async def plan(visit: Visit) -> Response:
    """What it is likely to do and to cost; what is wrong with it, where something is."""
    try:
        definition, inputs = _read(visit)
        explained = await visit.service(ExplainService).explain_anonymous(
            visit.principal, definition.stages, definition.input_schema, _options(definition, inputs)
        )
    except TamisError as error:
        return visit.page("_plan.html", plan=None, problems=_problems(error))
    reached = [one for one in explained.outlooks if one.is_reached]
    return visit.page(
        "_plan.html",
        plan=explained.outlooks,
        told={one.name: list(warnings(one)) for one in explained.outlooks},
        advice=list(suggestions(explained.outlooks)),
        credits=sum(one.credits for one in reached),
        duration_ms=sum(one.duration_ms for one in reached),
        problems=[],
    )


async def run(visit: Visit) -> Response:
    """Run it and follow it. Raises: what is wrong before it begins."""
    definition, inputs = _read(visit)
    executions = visit.service(ExecutionService)

    async def work(sink: Sink) -> Executed:
        return await executions.execute_anonymous(
            visit.principal, definition.stages, definition.input_schema, _options(definition, inputs), sink
        )

    stream = await executions.streaming.begin(work)
    return RunEvents(stream, visit.language, executions.streaming.stall_s)


async def save(visit: Visit) -> Response:
    definition, inputs = _read(visit)
    schema = definition.input_schema or {name: {"type": _type(value)} for name, value in inputs.items()}
    draft = RetrieverDraft(
        name=visit.field("name"),
        stages=definition.stages,
        input_schema=schema,
        collections=definition.collection_ids,
        budget=definition.budget,
    )
    with visit.making("retrievers"):
        made = await visit.service(RetrieverService).create(visit.principal, draft)
    return visit.page("_saved.html", made=made)


def _read(visit: Visit) -> tuple[Definition, dict[str, Any]]:
    """Raises: ValidationError, BadRequestError, naming the field."""
    sent = [(key, value) for key, value in visit.form.multi_items() if isinstance(value, str)]
    stages = read_pipeline(_catalogue(visit), sent)
    if not stages:
        raise ValidationError("the pipeline has no stage yet; add one")
    definition = Definition(
        stages=stages,
        input_schema=fields.json_object(visit.field("schema"), "schema"),
        collection_ids=tuple(value for key, value in sent if key == "collection"),
        budget=Budget(
            fields.number(visit.field("max_credits"), "max_credits"),
            fields.whole(visit.field("max_time_ms"), "max_time_ms"),
        ),
    )
    return definition, fields.json_object(visit.field("inputs"), "inputs")


def _options(definition: Definition, inputs: Mapping[str, Any]) -> RunOptions:
    return RunOptions(inputs=inputs, collections=definition.collection_ids, budget=definition.budget)


async def _start(visit: Visit, collections: Sequence[Collection]) -> tuple[Definition, Mapping[str, Any]]:
    """From an execution, from a saved retriever, from a document, else a search of a collection that was asked for."""
    if visit.asked("from"):
        past: PastRequest = await visit.service(SieveService).request(visit.principal, visit.asked("from"))
        return past.definition, past.inputs
    if visit.asked("retriever"):
        saved = await visit.service(RetrieverService).get(visit.principal, visit.asked("retriever"))
        return saved.definition, dict.fromkeys(saved.definition.input_schema, "")
    if visit.asked("like"):
        details = await visit.service(CollectionService).get(visit.principal, visit.asked("in"))
        like = asked_by_document(details.collection, visit.asked("like"), visit.asked("feature"))
        return like.definition, like.inputs
    wanted = visit.asked("collection")
    searchable = next(
        (one for one in collections if _text_feature(one) and wanted in ("", one.collection_id, one.name)), None
    )
    if searchable is None:
        return Definition((), {}, (wanted,) if wanted else ()), {}
    search: list[JSON] = [{"feature_uri": _text_feature(searchable), "query": "{{INPUT.query}}", "top_k": 100}]
    stages = (
        StageSpec("search", "feature_search", {"searches": search, "final_top_k": 50}),
        StageSpec("best", "limit", {"limit": 10}),
    )
    schema: dict[str, Any] = {"query": {"type": "text", "required": True}}
    return Definition(stages, schema, (searchable.collection_id,)), {"query": ""}


def _of_template(template: Template) -> tuple[Definition, Mapping[str, Any]]:
    schema: dict[str, Any] = dict(cast(Mapping[str, Any], template.configuration["input_schema"]))
    return Definition(parse_stages(cast(list[JSON], template.configuration["stages"])), schema), dict.fromkeys(
        schema, ""
    )


async def _collections(visit: Visit) -> list[Collection]:
    """Those with the most documents first."""
    page = await visit.service(CollectionService).list(visit.principal, ListQuery(limit=_MOST_COLLECTIONS))
    return [one.collection for one in sorted(page.items, key=lambda one: -one.document_count)]


def _catalogue(visit: Visit) -> Catalogue:
    return Catalogue.of(visit.service(StageCatalogue).stages())


def _features(collections: Sequence[Collection]) -> list[str]:
    """Addresses of everything that can be searched, each once."""
    return list(dict.fromkeys(
        str(FeatureUri(one.extractor.name, one.extractor.version, feature.name))
        for one in collections
        for feature in one.features
    ))  # fmt: skip


def _text_feature(collection: Collection) -> str | None:
    found = next((one for one in collection.features if one.name == "embedding"), None)
    return str(FeatureUri(collection.extractor.name, collection.extractor.version, found.name)) if found else None


def _problems(error: TamisError) -> list[str]:
    """Each fault with its place; 404s name the collection or retriever."""
    if isinstance(error, ValidationError) and error.problems:
        return [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.problems]
    return [error.message]


def _type(value: Any) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "text")


def _uid() -> str:
    return secrets.token_hex(4)
