"""What a pipeline is likely to do and to cost. Nothing runs and no record is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.forecasting.estimates import Experience, foreseen
from tamis.engine.forecasting.outlook import Counted, Prospect, StageOutlook, outlook
from tamis.engine.needs import Lacks
from tamis.engine.planning.definition import with_filters
from tamis.engine.planning.inputs import check_inputs, schema_fields
from tamis.engine.planning.lacking import check_needs
from tamis.engine.planning.plan import Plan, PlannedStage, Planner
from tamis.engine.planning.rewrites import Rewrite, rewrites
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.spending.prices import PriceTable
from tamis.engine.templating.sandbox import Named
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.filters import Filter, parse_filter
from tamis.model.json import JSON
from tamis.model.matching import check_filter
from tamis.model.principal import Principal
from tamis.model.retriever import Definition, Retriever, StageSpec
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.retrievers import ANY_NAME, find_collections, find_retriever
from tamis.services.runs.stage_statistics import of_every


@dataclass(frozen=True, slots=True)
class Explained:
    """retriever: None for a pipeline that was sent whole.  rewrites: what the planner made of it."""

    plan: Plan
    outlooks: Sequence[StageOutlook]
    rewrites: Sequence[Rewrite]
    retriever: Retriever | None = None


class ExplainService:
    """Estimates from this namespace's own collections and from what its stages did before."""

    def __init__(
        self,
        metadata: Metadata,
        index: VectorIndex,
        planner: Planner,
        prices: PriceTable,
        experience: Experience,
        lacks: Lacks | None = None,
    ) -> None:
        """lacks: what this server has not set up."""
        self._metadata = metadata
        self._index = index
        self._planner = planner
        self._prices = prices
        self._experience = experience
        self._lacks = lacks or {}

    async def explain_saved(self, principal: Principal, identifier: str, options: RunOptions) -> Explained:
        """As `execute_saved` would run it; inputs may be left out. Raises: ValidationError, NotFoundError."""

        def find(session: Session) -> tuple[Retriever, tuple[Collection, ...]]:
            retriever = find_retriever(session, principal, identifier)
            named = options.collections or retriever.definition.collection_ids
            return retriever, find_collections(session, principal, named, retriever.definition.stages)

        retriever, collections = await self._metadata.read_now(find)
        return await self._explain(principal, retriever.definition, collections, options, retriever)

    async def explain_anonymous(
        self, principal: Principal, stages: Sequence[StageSpec], input_schema: Mapping[str, JSON], options: RunOptions
    ) -> Explained:
        """As `execute_anonymous` would run it; inputs may be left out. Raises: ValidationError, NotFoundError."""
        collections = await self._metadata.read_now(
            lambda session: find_collections(session, principal, options.collections, stages)
        )
        definition = Definition(tuple(stages), dict(input_schema))
        return await self._explain(principal, definition, collections, options, None)

    async def _explain(
        self,
        principal: Principal,
        definition: Definition,
        collections: tuple[Collection, ...],
        options: RunOptions,
        retriever: Retriever | None,
    ) -> Explained:
        check_filter(parse_filter(options.filters, ["body", "filters"]), ["body", "filters"])
        stages = with_filters(definition.stages, options.filters)
        made = [*rewrites(definition.stages, stages)]
        definition = replace(
            definition,
            stages=stages,
            collection_ids=tuple(collection.collection_id for collection in collections),
            budget=options.budget or definition.budget,
        )
        plan = self._planner.plan(definition, collections, ANY_NAME)
        check_needs(plan, self._lacks)
        inputs = _at_hand(definition.input_schema, options.inputs)
        prospects = await self._prospects(principal, plan, collections, inputs)
        outlooks = outlook(prospects, self._prices, definition.budget.max_credits)
        return Explained(plan, outlooks, made, retriever)

    async def _prospects(
        self, principal: Principal, plan: Plan, collections: Sequence[Collection], inputs: Mapping[str, JSON]
    ) -> list[Prospect]:
        fingerprints = [one.fingerprint for one in plan.stages]
        usual = [of_every(one.spec.stage_id) for one in plan.stages]
        known = await self._experience.recall(principal, [*fingerprints, *usual])
        scope = {"INPUT": Named("INPUT", inputs)}
        found = []
        for planned, every in zip(plan.stages, usual, strict=True):
            prospect = Prospect(planned, foreseen(planned, scope), known.get(planned.fingerprint))
            counted = await self._counted(principal, prospect, collections)
            usual_ms = known[every].duration_ms if every in known else None
            found.append(
                replace(prospect, counted=counted, usual_ms=usual_ms, is_passed_over=planned.is_ruled_out(scope))
            )
        return found

    async def _counted(
        self, principal: Principal, prospect: Prospect, collections: Sequence[Collection]
    ) -> Counted | None:
        """Exact, by the index. None where the stage filters nothing, or only a run or a scan could tell."""
        stage = None if prospect.parameters is None else prospect.planned.stage(prospect.parameters)
        if stage is None or prospect.planned.effects or not hasattr(stage, "filter"):
            return None
        wanted: Filter | None = stage.filter
        if wanted is not None and not self._index.compiles(wanted):
            return None
        matching = total = 0
        for collection_id in _searched(prospect.planned, prospect.parameters, collections):
            count = await self._index.count(principal, collection_id, None)
            total += count
            matching += count if wanted is None else await self._index.count(principal, collection_id, wanted)
        return Counted(matching, total)


def _searched(planned: PlannedStage, parameters: object, collections: Sequence[Collection]) -> list[str]:
    """The collections that the stage names, else the pipeline's."""
    named = getattr(parameters, "collection_identifiers", None)
    every = [one for one in collections if named is None or one.collection_id in named or one.name in named]
    return [one.collection_id for one in every or collections]


def _at_hand(schema: Mapping[str, JSON], inputs: Mapping[str, JSON]) -> dict[str, JSON]:
    """Those given and the defaults of others; what is required may be left out. Raises: ValidationError."""
    if not isinstance(schema, Mapping):
        raise ValidationError.at(["body", "input_schema"], "an object of fields")
    asked = {
        name: field
        for name, field in schema_fields(schema).items()
        if inputs.get(name) is not None or (isinstance(field, Mapping) and field.get("default") is not None)
    }
    return check_inputs(asked, inputs)
