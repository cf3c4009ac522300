"""Stages as an agent's tools: fewer parameters than they have, on a working set that searches and filters change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field, create_model
from pydantic import ValidationError as Invalid

from tamis.engine.language.agent import Model, Tool, ToolError
from tamis.engine.language.prompting import document_block
from tamis.engine.parameters import StageParameters
from tamis.engine.ports.index import Scored
from tamis.engine.querying.features import feature_uris, resolve_feature
from tamis.engine.searching.fusion import Fusion, fuse
from tamis.engine.stage import Context, Outcome, Stage, effects_of
from tamis.errors import TamisError, ValidationError
from tamis.model.filters import Operator
from tamis.model.hits import Hit, Hits
from tamis.model.vector import Space, VectorKind

SHOWN = 10
"""Documents that the model is shown of what a tool found."""
_CHARACTERS = 600
SEARCH, FILTER = "feature_search", "attribute_filter"
Combine: TypeAlias = Literal["replace", "fuse"]


class SearchArguments(StageParameters):
    query: str = Field(min_length=1, max_length=2_000, description="What to search for, in plain words.")
    top_k: int = Field(25, ge=1, le=100, description="How many documents.")


class FilterArguments(StageParameters):
    field: str = Field(min_length=1, description="Path of a field, as `metadata.year`.")
    operator: Operator = Field(Operator.EQ, description="How to compare.")
    value: Any = Field(None, description="What to compare with.")


class CriteriaArguments(StageParameters):
    criteria: str = Field(min_length=1, max_length=2_000, description="What a document must be to be kept.")


class RerankArguments(StageParameters):
    query: str = Field(min_length=1, max_length=2_000, description="What documents are judged by.")
    top_k: int | None = Field(None, ge=1, le=100, description="How many to keep; all if omitted.")


class EnrichArguments(StageParameters):
    prompt: str = Field(min_length=1, max_length=2_000, description="What to find out of each document.")
    output_field: str = Field("answer", pattern=r"^[A-Za-z_]\w*$", description="The field that it is written into.")


class TaxonomyArguments(StageParameters):
    taxonomy_id: str = Field(min_length=1, description="The taxonomy to classify by.")


_SIMPLE: Mapping[str, type[BaseModel]] = {
    SEARCH: SearchArguments,
    FILTER: FilterArguments,
    "llm_filter": CriteriaArguments,
    "rerank": RerankArguments,
    "llm_enrich": EnrichArguments,
    "taxonomy_enrich": TaxonomyArguments,
}
_NEVER = ("agent_search", "agentic_enrich", "code_execution")


def refusal(stage: type[Stage]) -> str | None:
    """Why a model may not call this stage; None where it may.

    A model that reads documents may be told by one what to ask: nothing that it could tell the outside is a tool.
    """
    if stage.id in _NEVER or (stage.effects and stage.id not in _SIMPLE):
        return (
            f"{stage.id!r} reaches outside or runs code: a model that reads documents does not decide what it is sent"
        )
    return None


@dataclass(slots=True)
class WorkingSet:
    """What an agent has found. rankings: of searches whose results are fused; a filter or a sort leaves one.

    calls, tokens: of the language models that its tools asked.
    """

    given: Hits
    rankings: list[Hits] = field(default_factory=list)
    is_empty: bool = True
    calls: int = 0
    tokens: int = 0
    warnings: list[str] = field(default_factory=list)

    def hits(self, stage_name: str) -> Hits:
        """Several rankings by reciprocal ranks (k = 60); one as it is."""
        if len(self.rankings) <= 1:
            return self.rankings[0] if self.rankings else self.given
        by_id: dict[str, Hit] = {}
        for hit in (hit for ranking in self.rankings for hit in ranking):
            held = by_id.get(hit.id)
            by_id[hit.id] = hit if held is None else _merged(held, hit)
        fused = fuse(Fusion.RRF, [[Scored(hit.id, hit.score) for hit in one] for one in self.rankings])
        return Hits.of(by_id[one.document_id].scored(stage_name, one.score) for one in fused)

    def found(self, hits: Hits, adds: bool) -> None:
        self.rankings = [*self.rankings, hits] if adds and not self.is_empty else [hits]
        self.is_empty = False


def _merged(one: Hit, other: Hit) -> Hit:
    return Hit(one.id, one.score, one.document, {**other.scores, **one.scores}, {**other.extra, **one.extra})


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Makes tools of stages. combine: whether a search's results stand in place of the earlier ones or beside them."""

    context: Context
    model: Model
    combine: Combine
    working: WorkingSet

    def tool(self, stage: type[Stage]) -> Tool:
        simple = _SIMPLE.get(stage.id)
        arguments = simple or stage.Parameters
        if stage.id == SEARCH:
            arguments = _with_features(self.context)

        async def call(given: BaseModel) -> str:
            return await self._run(stage, self._parameters(stage, given, simple is not None))

        return Tool(stage.id, _told_of(stage, self.combine), arguments, call)

    def _parameters(self, stage: type[Stage], given: BaseModel, is_simple: bool) -> BaseModel:
        raw = given.model_dump(exclude_unset=True, by_alias=False)
        if stage.id == SEARCH:
            raw = _search_of(given, self.context)
        if not is_simple:
            if effects_of(stage, raw):
                raise ToolError(f"with these parameters {stage.id!r} would reach outside; leave them out")
            return given
        known = stage.Parameters.model_fields
        chosen = {"provider": self.model.provider, "model_name": self.model.name, "api_key": self.model.key}
        raw |= {name: value for name, value in chosen.items() if value is not None and name in known}
        try:
            return stage.Parameters.model_validate(raw)
        except Invalid as error:
            raise ToolError("; ".join(one["msg"] for one in error.errors())) from error

    async def _run(self, stage: type[Stage], parameters: BaseModel) -> str:
        """The stage as it runs in a pipeline; what it refuses, the model is told."""
        working, context = self.working, self.context
        brings = stage.id == SEARCH or (stage.id == FILTER and working.is_empty)
        hits = working.given if brings else working.hits(context.stage_name)
        if not hits and not brings:
            raise ToolError("there are no documents to work on; search first")
        # A stage finds documents of its own only where a pipeline begins.
        index = context.stage_index if brings else max(1, context.stage_index)
        inside = _within(context, stage_index=index, stage_name=f"{context.stage_name}.{stage.id}")
        try:
            outcome = await stage(parameters).run(hits, inside)
        except TamisError as error:
            raise ToolError(error.message) from error
        self._take(outcome, adds=stage.id == SEARCH and self.combine == "fuse")
        return self._shown(outcome)

    def _take(self, outcome: Outcome, adds: bool) -> None:
        working = self.working
        working.found(outcome.hits, adds)
        working.calls += outcome.llm_calls or 0
        working.tokens += outcome.tokens_used or 0
        working.warnings.extend(outcome.warnings)

    def _shown(self, outcome: Outcome) -> str:
        hits = self.working.hits(self.context.stage_name)
        head = f"{len(outcome.hits)} documents came of it; {len(hits)} are at hand now."
        return "\n".join([head, *(shown(hit) for hit in hits[:SHOWN])])


def shown(hit: Hit, characters: int = _CHARACTERS) -> str:
    """A document as a model is shown it: JSON in a fence, cut."""
    return document_block(hit.id, hit.view(), characters)


def _told_of(stage: type[Stage], combine: Combine) -> str:
    if stage.id != SEARCH:
        return stage.description
    does = "are fused with" if combine == "fuse" else "take the place of"
    return f"Search documents by meaning. What it finds {does} what was found before."


def _with_features(context: Context) -> type[BaseModel]:
    """A search's arguments; where there is a choice of features, with their names."""
    names = dense_features(context)
    if len(names) < 2:
        return SearchArguments
    listed: Any = Literal[tuple(names)]
    choice: Any = (listed | None, Field(None, description="Search only this feature; all if omitted."))
    made: type[BaseModel] = create_model("SearchArguments", __base__=SearchArguments, feature=choice)
    return made


def dense_features(context: Context) -> list[str]:
    """URIs of what the collections can be searched by with words."""
    uris = dict.fromkeys(uri for collection in context.collections for uri in feature_uris(collection))
    return [uri for uri in uris if _is_dense(uri, context)]


def _is_dense(uri: str, context: Context) -> bool:
    try:
        targets = resolve_feature(uri, context.collections).targets
    except ValidationError:
        return False
    return all(spec.kind is VectorKind.DENSE and spec.space is Space.TEXT for _, spec in targets)


def _search_of(given: BaseModel, context: Context) -> dict[str, Any]:
    query, top_k = getattr(given, "query", ""), getattr(given, "top_k", 25)
    chosen = getattr(given, "feature", None)
    names = [chosen] if chosen else dense_features(context)
    if not names:
        raise ToolError("the collections have no feature to search by; list documents by their fields instead")
    searches = [{"feature_uri": name, "query": query, "top_k": top_k} for name in names[:SHOWN]]
    return {"searches": searches, "final_top_k": top_k}


def _within(context: Context, **changes: Any) -> Context:
    """The context with changes. `dataclasses.replace` would build one that watches again what is watched already."""
    return Context(**{one.name: getattr(context, one.name) for one in fields(Context)} | changes)


def tools_of(names: Sequence[str], box: Toolbox) -> tuple[list[Tool], list[str]]:
    """The tools by name, and a warning for each that there is not.

    Raises: ValidationError for a stage that a model may not call, and where none is left.
    """
    loc: list[str | int] = ["body", "stages", box.context.stage_index, "config", "parameters", "stages"]
    tools, warnings = list[Tool](), list[str]()
    for name in dict.fromkeys(names):
        stage = box.context.stages.get(name)
        if stage is None:
            warnings.append(f"there is no stage {name!r}; the agent goes without")
        elif (why := refusal(stage)) is not None:
            raise ValidationError.at(loc, why)
        else:
            tools.append(box.tool(stage))
    if not tools:
        raise ValidationError.at(loc, f"an agent needs a tool; there is {', '.join(_callable(box.context.stages))}")
    return tools, warnings


def _callable(stages: Mapping[str, type[Stage]]) -> list[str]:
    return sorted(name for name, stage in stages.items() if refusal(stage) is None)
