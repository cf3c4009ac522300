"""Search with a query and with other wordings of it, and fuse what they find."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from math import fsum
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, model_validator

from tamis.engine.language.language_parameters import LanguageAccess
from tamis.engine.language.prompting import RULES, fenced
from tamis.engine.language.questions import OnError
from tamis.engine.needs import Need
from tamis.engine.planning.checks import validated
from tamis.engine.ports.index import Scored
from tamis.engine.ports.language import Message, Prompt
from tamis.engine.searching.fusion import Fusion, contributions, fuse, reciprocal_rank
from tamis.engine.spending.spending import Given, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.errors import LanguageModelError, ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

SEARCH = "feature_search"
_TASK = "You word search queries anew. "
_PROMPT = "Write other wordings of the query that would find what the same person looks for: synonyms, other aspects."
_TOKENS = 2_000
_MAX_TOKENS = 1_024
_INDEX = re.compile(r"(?P<extractor>.+)_(?P<version>v\d+)_(?P<output>.+)")
_OF_A_SEARCH = ("feature_uri", "query", "top_k", "min_score", "lexical", "weight")


class QueryExpandParameters(LanguageAccess):
    feature_search_config: dict[str, Any] | None = Field(
        None, description="Parameters of a feature_search, or of one of its searches; its text query is expanded."
    )
    query: str | None = Field(None, min_length=1, description="The query, where feature_search_config has none.")
    vector_index: str | None = Field(None, description="Instead of feature_search_config: extractor_version_output.")
    top_k: int | None = Field(None, ge=1, le=10_000, description="Results of each wording.")
    expansion_model: str | None = Field(
        None,
        validation_alias=AliasChoices("expansion_model", "model", "model_name"),
        description="The language model; else the operator's default.",
    )
    num_expansions: int = Field(
        3, ge=1, le=10, validation_alias=AliasChoices("num_expansions", "num_variations"), description="Wordings."
    )
    expansion_prompt: str | None = Field(
        None, min_length=1, description="How to word the query anew; knows {{num_variations}} and {{query}}."
    )
    expansion_timeout_ms: int | None = Field(None, ge=1, le=5_000, description="Then the query alone is searched.")
    include_original: bool = Field(True, description="Search with the query as it is, too.")
    fusion_strategy: Literal["rrf", "dbsf", "linear", "weighted", "max"] = Field(
        "rrf",
        validation_alias=AliasChoices("fusion_strategy", "fusion_method"),
        description="How the rankings become one; linear is another word for weighted.",
    )
    rrf_k: int = Field(60, ge=1, le=1_000, description="Of reciprocal rank fusion.")
    deduplicate: bool = Field(
        True, description="Each document once, its rankings fused; false keeps a hit of it for each wording's ranking."
    )
    on_error: OnError = Field("skip", description="Without wordings: search with the query alone, or fail.")

    @model_validator(mode="after")
    def _something_to_search(self) -> "QueryExpandParameters":
        if (self.feature_search_config is None) == (self.vector_index is None):
            raise ValueError("give feature_search_config, or vector_index and query")
        if self.vector_index is not None and not (_INDEX.fullmatch(self.vector_index) or "://" in self.vector_index):
            raise ValueError("vector_index is a feature's URI, or extractor_version_output, as text_v1_embedding")
        return self

    @property
    def chosen_model(self) -> str | None:
        return self.expansion_model

    def searches(self) -> dict[str, Any]:
        """Parameters of a feature_search, the query as it was given."""
        config = dict(self.feature_search_config or {"feature_uri": _uri(self.vector_index or "")})
        if "searches" not in config:
            config["searches"] = [{name: config.pop(name) for name in _OF_A_SEARCH if name in config}]
        top_k = {} if self.top_k is None else {"top_k": self.top_k}
        query = {} if self.query is None else {"query": self.query}
        return {**config, "searches": [{**query, **top_k, **one} for one in config["searches"]]}


def _rows(parameters: QueryExpandParameters, given: Given) -> float:
    listed = parameters.searches().get("final_top_k", 25)
    most = (listed if isinstance(listed, int) else 25) * (parameters.num_expansions + parameters.include_original)
    return most if given.is_first else min(most, given.count)


class QueryExpand:
    """One question to a language model, then a search for each wording."""

    id: ClassVar[str] = "query_expand"
    kind: ClassVar[StageKind] = StageKind.FILTER
    icon: ClassVar[str] = "expand"
    description: ClassVar[str] = (
        "Let a language model word a query in other ways, search with each wording and fuse the rankings, so that "
        "documents that say it differently are found. Each hit says which wordings found it."
    )
    Parameters: ClassVar[type[BaseModel]] = QueryExpandParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE})
    spends: ClassVar[Spending] = Spending(
        usage=lambda parameters, given: Usage(documents=_rows(parameters, given), calls=1, tokens=_TOKENS), yields=_rows
    )
    example: ClassVar[dict[str, Any]] = {
        "feature_search_config": {
            "searches": [{"feature_uri": "mixpeek://text_extractor@v1/embedding", "query": "running shoes"}],
            "final_top_k": 5,
        },
        "num_expansions": 2,
    }

    def __init__(self, parameters: QueryExpandParameters) -> None:
        self._parameters = parameters

    def brings(self, stage_index: int) -> bool:
        return stage_index == 0

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if context.stage_index > 0 and not hits:
            return Outcome(Hits(), processed=0)
        config, place = self._parameters.searches(), _place(context)
        original = _query_in(config, place)
        wordings, tokens, calls, warnings = await self._wordings(original, context)
        queries = [original, *wordings] if self._parameters.include_original or not wordings else wordings
        search = context.stages[SEARCH]
        found = []
        for query in queries:
            parameters = validated(search.Parameters, _with_query(config, query), place)
            found.append(await search(parameters).run(hits, context))
        rankings = [one.hits for one in found]
        if self._parameters.deduplicate:
            rows = self._fused(queries, rankings, context.stage_name)
        else:
            rows = self._apart(queries, rankings, context)
        facts: dict[str, JSON] = {"queries": [*queries]}
        said = tuple(dict.fromkeys((*warnings, *(warning for one in found for warning in one.warnings))))
        return Outcome(rows, processed=len(rows), tokens_used=tokens, llm_calls=calls, metadata=facts, warnings=said)

    async def _wordings(self, query: str, context: Context) -> tuple[list[str], int, int, tuple[str, ...]]:
        """Other wordings, each once; tokens; calls; warnings."""
        limit_ms = self._parameters.expansion_timeout_ms
        try:
            async with asyncio.timeout(None if limit_ms is None else limit_ms / 1000):
                reply = await context.reach.language.ask(context.principal, self._prompt(query), context.allowance)
        except (LanguageModelError, TimeoutError) as error:
            if self._parameters.on_error == "error":
                raise
            why = str(error) or f"no wordings within expansion_timeout_ms = {limit_ms}"
            return [], 0, 1, (f"the query was searched as it is: {why}",)
        value: Any = reply.value
        new = {one.strip().casefold(): one.strip() for one in value["queries"] if one.strip()}
        new.pop(query.strip().casefold(), None)
        return [*new.values()], reply.tokens_in + reply.tokens_out, reply.calls, ()

    def _prompt(self, query: str) -> Prompt:
        given, count = self._parameters, self._parameters.num_expansions
        told = given.expansion_prompt or _PROMPT
        told = told.replace("{{num_variations}}", str(count)).replace("{{query}}", "the query below")
        schema: dict[str, JSON] = {
            "type": "object",
            "properties": {
                "queries": {
                    "type": "array", "items": {"type": "string", "maxLength": 500}, "minItems": 1, "maxItems": count,
                }
            },
            "required": ["queries"],
            "additionalProperties": False,
        }  # fmt: skip
        return given.ask(
            Message("system", _TASK + RULES),
            Message("user", f"{told}\nHow many: {count}.\n\nThe query:\n{fenced(query)}"),
            schema=schema,
            max_tokens=_MAX_TOKENS,
        )

    def _fused(self, queries: Sequence[str], rankings: Sequence[Hits], stage_name: str) -> Hits:
        if self._parameters.fusion_strategy == "rrf":
            parts: dict[str, list[float]] = {}
            for ranking in rankings:
                for hit, value in zip(ranking, self._contributions(ranking), strict=True):
                    parts.setdefault(hit.id, []).append(value)
            fused = [Scored(one, fsum(values)) for one, values in parts.items()]
        else:
            fused = fuse(self._strategy, [_scored(one) for one in rankings])
        ranks = [{hit.id: rank for rank, hit in enumerate(one, 1)} for one in rankings]
        hits = {hit.id: hit for one in reversed(rankings) for hit in one}
        return Hits.ranked(_told(hits[one.document_id], one.score, queries, ranks, stage_name) for one in fused)

    def _apart(self, queries: Sequence[str], rankings: Sequence[Hits], context: Context) -> Hits:
        """Every ranking's hits with what they contribute; a document's first keeps its id, others add their wording."""
        ranks = [{hit.id: rank for rank, hit in enumerate(one, 1)} for one in rankings]
        seen: set[str] = set()
        rows: list[Hit] = []
        for number, ranking in enumerate(rankings):
            alone = [one if at == number else {} for at, one in enumerate(ranks)]
            for hit, value in zip(ranking, self._contributions(ranking), strict=True):
                told = _told(hit, value, queries, alone, context.stage_name)
                rows.append(replace(told, id=f"{hit.id}#{context.stage_index}.{number:06}") if hit.id in seen else told)
            seen.update(ranks[number])
        return Hits.ranked(rows)

    def _contributions(self, ranking: Hits) -> list[float]:
        if self._parameters.fusion_strategy == "rrf":
            return reciprocal_rank(_scored(ranking), k=self._parameters.rrf_k)
        return contributions(self._strategy, _scored(ranking))

    @property
    def _strategy(self) -> Fusion:
        strategy = self._parameters.fusion_strategy
        return Fusion("weighted" if strategy == "linear" else strategy)


def _scored(hits: Hits) -> list[Scored]:
    return [Scored(hit.id, hit.score) for hit in hits]


def _told(hit: Hit, score: float, queries: Sequence[str], ranks: Sequence[dict[str, int]], stage_name: str) -> Hit:
    places: list[JSON] = [one.get(hit.id) for one in ranks]
    matched: list[JSON] = [query for query, place in zip(queries, places, strict=True) if place is not None]
    facts: JSON = {"matched_variations": matched, "fusion_score": score, "individual_ranks": places}
    return hit.scored(stage_name, score).with_extra(query_expand=facts)


def _uri(index: str) -> str:
    found = _INDEX.fullmatch(index)
    return f"mixpeek://{found['extractor']}@{found['version']}/{found['output']}" if found else index


def _place(context: Context) -> list[str | int]:
    return ["body", "stages", context.stage_index, "config", "parameters", "feature_search_config"]


def _text(query: Any) -> str | None:
    """The text of a search's query; None where it asks with something else."""
    if isinstance(query, dict):
        query = next((query[key] for key in ("value", "text") if key in query), None)
    return query if isinstance(query, str) and query.strip() else None


def _query_in(config: dict[str, Any], place: list[str | int]) -> str:
    found = [text for one in config["searches"] if (text := _text(one.get("query"))) is not None]
    if not found:
        raise ValidationError.at(place, "no search in it has a text for a query: there is nothing to word anew")
    return found[0]


def _with_query(config: dict[str, Any], query: str) -> dict[str, Any]:
    searches = [one if _text(one.get("query")) is None else {**one, "query": query} for one in config["searches"]]
    return {**config, "searches": searches}
