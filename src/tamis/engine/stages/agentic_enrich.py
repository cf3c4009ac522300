"""An agent for each document: it reads, looks things up in steps, and answers with a value of a given schema."""

import asyncio
from collections import Counter
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator

from tamis.engine.language.agent import Agent, Course, Limits, Model
from tamis.engine.language.agent_lookups import Analyst, Lookups
from tamis.engine.language.agent_tools import shown
from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.language.prompting import checked_prompt, instruction
from tamis.engine.needs import Need
from tamis.engine.nesting import with_field
from tamis.engine.parameters import checked_filter
from tamis.engine.planning.json_schemas import checked_schema
from tamis.engine.running import sifting
from tamis.engine.spending.spending import Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.errors import AllowanceSpentError, LanguageModelMissingError
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

MAX_DOCUMENTS = 10
_CHARACTERS = 12_000
_TOOLS = ("get_taxonomy_categories", "query_examples", "analyze_content")


class AnalysisProvider(LanguageParameters):
    """The model behind `analyze_content`."""


class AgenticEnrichParameters(LanguageParameters):
    system_prompt: str = Field(min_length=1, description="What the agent is to do. May name the document: `{{DOC.x}}`.")
    output_schema: dict[str, Any] = Field(description="JSON Schema of its answer, an object.")
    output_field: str = Field("metadata.classification", min_length=1, description="Path that the answer is put under.")
    taxonomy_id: str | None = Field(None, description="Not in this version: give the categories in `taxonomy`.")
    taxonomy: dict[str, Any] | list[Any] | None = Field(
        None, description="Categories, with what describes them: what `get_taxonomy_categories` answers."
    )
    example_collection_ids: list[str] | None = Field(
        None, min_length=1, description="Collections, by id or name, of documents that are classified already."
    )
    analysis_provider: AnalysisProvider | None = Field(
        None, description="The model behind `analyze_content`; the agent's own if omitted."
    )
    enabled_tools: list[str] | None = Field(
        None, description="Of the tools, only these; all that there are if omitted."
    )
    max_turns: int = Field(8, ge=1, le=20, description="Answers of the model for one document; the last must be final.")
    max_tokens: int | None = Field(None, ge=1, description="Begin no further step of a document beyond so many tokens.")
    timeout_seconds: float = Field(60.0, ge=5, le=300, description="Time for one document.")
    temperature: float = Field(0.0, ge=0.0, le=2.0, description="Of the agent's model.")
    when: dict[str, Any] | list[Any] | None = Field(None, description="Enrich only documents that match this filter.")
    max_concurrency: int = Field(2, ge=1, le=5, description="Documents at a time.")

    @field_validator("system_prompt")
    @classmethod
    def _names_fields_only(cls, value: str) -> str:
        return checked_prompt(value)

    @field_validator("output_schema")
    @classmethod
    def _is_a_schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("type") != "object":
            raise ValueError("a schema of an object: give `type: object` and `properties`")
        return checked_schema(value)

    @field_validator("taxonomy_id")
    @classmethod
    def _no_stored_taxonomies(cls, value: str | None) -> str | None:
        raise ValueError("this version keeps no taxonomies; give the categories themselves in `taxonomy`")

    @field_validator("enabled_tools")
    @classmethod
    def _are_tools(cls, value: list[str] | None) -> list[str] | None:
        unknown = sorted(set(value or ()) - set(_TOOLS))
        if unknown:
            raise ValueError(f"there is no tool {unknown[0]!r}; there is {', '.join(_TOOLS)}")
        return value

    @field_validator("when")
    @classmethod
    def _is_a_filter(cls, value: Any) -> Any:
        return checked_filter(value)


class AgenticEnrich:
    """Classify or describe each document by an agent with tools."""

    id: ClassVar[str] = "agentic_enrich"
    kind: ClassVar[StageKind] = StageKind.ENRICH
    icon: ClassVar[str] = "brain-circuit"
    description: ClassVar[str] = (
        "An agent reads each document, may look up categories, search for classified examples or have a second model "
        "look at the content, and answers with a value that is validated against a schema. The first 10 documents "
        "that match `when` are enriched. One that fails keeps what it has, with a warning; no answer outside the "
        "schema is kept."
    )
    Parameters: ClassVar[type[BaseModel]] = AgenticEnrichParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE})
    spends: ClassVar[Spending] = Spending(
        usage=lambda _, given: Usage(documents=min(given.count, MAX_DOCUMENTS)),
        yields=lambda _, given: given.count,
        knobs=(Knob(KnobKind.FAN_OUT, ("max_turns",)),),
    )
    example: ClassVar[dict[str, Any]] = {
        "system_prompt": "Say what kind of product the document is about, and how sure you are.",
        "output_schema": {
            "type": "object",
            "properties": {"category": {"type": "string"}, "confidence": {"type": "number"}},
            "required": ["category", "confidence"],
        },
        "output_field": "metadata.classification",
        "max_turns": 3,
        "timeout_seconds": 30,
    }

    def __init__(self, parameters: AgenticEnrichParameters) -> None:
        self._parameters = parameters
        self._when = parse_filter(parameters.when, ["parameters", "when"])

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        wanted = await sifting.meant(hits, self._when)
        chosen, warnings = wanted[:MAX_DOCUMENTS], list[str]()
        if len(wanted) > len(chosen):
            warnings.append(
                f"the first {MAX_DOCUMENTS} of {len(wanted)} documents were enriched; the others are as they came"
            )
        lookups = await self._lookups(context) if chosen else None
        gate = asyncio.Semaphore(given.max_concurrency)

        async def one(hit: Hit) -> Course:
            async with gate:
                return await self._course(hit, context, lookups)

        courses = dict(zip([hit.id for hit in chosen], await asyncio.gather(*map(one, chosen)), strict=True))
        for key, course in courses.items():
            if isinstance(course.error, LanguageModelMissingError):
                raise course.error
            if course.answer is None:
                warnings.append(f"{key} was not enriched: {_why(course)}")
        rows = [_enriched(hit, courses.get(hit.id), given.output_field) for hit in hits]
        return Outcome(
            Hits.of(rows),
            processed=len(chosen),
            tokens_used=sum(course.tokens for course in courses.values()),
            llm_calls=sum(course.calls for course in courses.values()),
            metadata=self._facts(hits, courses),
            warnings=tuple(warnings),
        )

    async def _lookups(self, context: Context) -> Lookups:
        given, second = self._parameters, self._parameters.analysis_provider
        collections = await context.searcher.collections(
            context.principal, given.example_collection_ids or (), context.collections
        )
        own = Model(given.provider, given.model_name, given.api_key)
        analyst = own if second is None else Model(second.provider, second.model_name, second.api_key)
        return Lookups(context, given.taxonomy, collections, Analyst(context, analyst))

    async def _course(self, hit: Hit, context: Context, lookups: Lookups | None) -> Course:
        """Of one document; its answer is validated by whoever asks the model."""
        given, course = self._parameters, Course()
        tools = lookups.tools(hit, course) if lookups is not None else []
        enabled = [tool for tool in tools if given.enabled_tools is None or tool.name in given.enabled_tools]
        limits = Limits(given.max_turns, given.timeout_seconds, given.max_tokens)
        model = Model(given.provider, given.model_name, given.api_key, given.temperature)
        agent = Agent(model, enabled, limits, given.output_schema, course)
        told = instruction(given.system_prompt, context.render)
        return await agent.go(told, f"The document:\n{shown(hit, _CHARACTERS)}", context)

    def _facts(self, hits: Hits, courses: dict[str, Course]) -> dict[str, JSON]:
        endings = Counter(course.ending.value for course in courses.values())
        traces: dict[str, JSON] = {
            key: {
                "turns": course.turns,
                "ended_by": course.ending.value,
                "tools": [step.told() for step in course.steps],
                "error": None if course.error is None else course.error.message,
            }
            for key, course in courses.items()
        }
        return {
            "documents_enriched": sum(course.answer is not None for course in courses.values()),
            "documents_skipped": len(hits) - len(courses),
            "total_tokens_input": sum(course.tokens_in for course in courses.values()),
            "total_tokens_output": sum(course.tokens_out for course in courses.values()),
            "endings": {**endings},
            "reasoning_traces": traces,
            "conditional": self._when is not None,
        }


def _why(course: Course) -> str:
    if isinstance(course.error, AllowanceSpentError):
        return "the budget was spent"
    return course.error.message if course.error is not None else f"{course.ending.value} was met before it answered"


def _enriched(hit: Hit, course: Course | None, path: str) -> Hit:
    return hit if course is None or course.answer is None else with_field(hit, path, course.answer)
