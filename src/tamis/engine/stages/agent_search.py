"""A language model plans the search: it calls other stages as tools, step by step, within limits."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel, Field, model_validator

from tamis.engine.language.agent import Agent, Course, Ending, Limits, Model
from tamis.engine.language.agent_tools import Combine, Toolbox, WorkingSet, tools_of
from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.needs import Need
from tamis.engine.spending.spending import Given, Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.errors import ValidationError
from tamis.model.hits import Hits
from tamis.model.json import JSON

_TOKENS_A_TURN = 2_000
_MOST_FOUND = 100


class Strategy(StrEnum):
    """What the model is told to do, and with which tools."""

    ITERATIVE_REFINEMENT = "iterative_refinement"
    MULTI_HOP = "multi_hop"
    TREE_NAVIGATION = "tree_navigation"
    CUSTOM = "custom"


_TOOLS: dict[Strategy, tuple[str, ...]] = {
    Strategy.ITERATIVE_REFINEMENT: ("feature_search", "attribute_filter"),
    Strategy.MULTI_HOP: ("feature_search", "attribute_filter", "llm_filter"),
    Strategy.TREE_NAVIGATION: ("feature_search", "attribute_filter"),
}
_PROMPTS: dict[Strategy, str] = {
    Strategy.ITERATIVE_REFINEMENT: (
        "You find documents. Begin with a broad search, read what it brings, then search again in better words or "
        "narrow by fields, until what is at hand answers the request and little else is left. Then finish."
    ),
    Strategy.MULTI_HOP: (
        "You find documents whose answer lies in several of them. Search for one part of the request, read which "
        "names, places or references the documents hold, and search for those next. What searches bring is put "
        "together; drop what does not serve the request, then finish."
    ),
    Strategy.TREE_NAVIGATION: (
        "You walk down a tree of documents. Find the topmost ones that cover the request, then filter or search for "
        "what lies under the best of them, level by level, until you reach the leaves that answer it. Then finish."
    ),
}


class AgentSearchParameters(LanguageParameters):
    strategy: Strategy = Field(Strategy.ITERATIVE_REFINEMENT, description="How the model goes about it.")
    stages: list[str] | None = Field(
        None, min_length=1, max_length=20, description="Stages that it may call; the strategy's if omitted."
    )
    system_prompt: str | None = Field(
        None, min_length=1, description="What the model is told; the strategy's own if omitted."
    )
    query: str | None = Field(None, description="What is looked for; `INPUT.query`, else all inputs, if omitted.")
    combine: Combine | None = Field(
        None, description="replace: a search stands in place of the one before. fuse: by ranks; as multi_hop does."
    )
    max_iterations: int = Field(5, ge=1, le=20, description="Answers of the model, each at most one call of a tool.")
    max_tokens: int | None = Field(None, ge=1, description="Begin no further step once it has used so many tokens.")
    timeout_seconds: float = Field(60.0, ge=5, le=300, description="Time for all of it; what is found by then stays.")

    @model_validator(mode="after")
    def _custom_says_what(self) -> "AgentSearchParameters":
        if self.strategy is Strategy.CUSTOM and not (self.stages and self.system_prompt):
            raise ValueError("the custom strategy needs stages and system_prompt")
        return self


def _usage(parameters: AgentSearchParameters, given: Given) -> Usage:
    turns = parameters.max_iterations
    return Usage(documents=turns * _MOST_FOUND if given.is_first else given.count)


class AgentSearch:
    """Let a language model search, filter and rerank until it is content."""

    id: ClassVar[str] = "agent_search"
    kind: ClassVar[StageKind] = StageKind.FILTER
    icon: ClassVar[str] = "bot"
    description: ClassVar[str] = (
        "A language model decides which stages to run on what, reads what they bring and goes on, within limits of "
        "steps, tokens and time. Each call is checked before it runs; what a stage refuses, the model is told. Stages "
        "that reach outside are no tools. Every step stands in the stage's statistics."
    )
    Parameters: ClassVar[type[BaseModel]] = AgentSearchParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE})
    spends: ClassVar[Spending] = Spending(
        usage=_usage,
        yields=lambda parameters, given: parameters.max_iterations * _MOST_FOUND if given.is_first else given.count,
        knobs=(Knob(KnobKind.FAN_OUT, ("max_iterations",)),),
    )
    example: ClassVar[dict[str, Any]] = {
        "query": "running shoes for long roads",
        "strategy": "iterative_refinement",
        "max_iterations": 3,
        "timeout_seconds": 30,
    }

    def __init__(self, parameters: AgentSearchParameters) -> None:
        self._parameters = parameters

    def brings(self, stage_index: int) -> bool:
        return stage_index == 0

    async def explain(self, case: Case, context: Context) -> Verdict:
        """From the recorded steps: a model is not asked again."""
        if case.hit is None and case.document.collection_id not in {one.collection_id for one in context.collections}:
            return case.not_searched(context.collections)
        steps = case.metadata.get("stages_invoked")
        told = [_step_in_words(step) for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
        facts: dict[str, JSON] = {"stages_invoked": steps, "ended_by": case.metadata.get("ended_by")}
        reason = f"what the agent did left it out: {'; '.join(told) or 'it called nothing'}"
        return Verdict(VerdictKind.DROPPED, reason, facts, case.without_stage())

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        if context.stage_index > 0 and not hits:
            return Outcome(Hits(), processed=0)
        model = Model(given.provider, given.model_name, given.api_key)
        working = WorkingSet(hits)
        fuses: Combine = "fuse" if given.strategy is Strategy.MULTI_HOP else "replace"
        names = given.stages or _TOOLS[given.strategy]
        tools, warnings = tools_of(names, Toolbox(context, model, given.combine or fuses, working))
        agent = Agent(model, tools, Limits(given.max_iterations, given.timeout_seconds, given.max_tokens))
        course = await agent.go(given.system_prompt or _PROMPTS[given.strategy], self._task(context), context)
        if course.error is not None and working.is_empty:
            raise course.error
        found = Hits() if working.is_empty and context.stage_index == 0 else working.hits(context.stage_name)
        return Outcome(
            found,
            processed=len(found),
            tokens_used=course.tokens + working.tokens,
            llm_calls=course.calls + working.calls,
            metadata=self._facts(course),
            warnings=(*warnings, *working.warnings, *_told(course)),
        )

    def _task(self, context: Context) -> str:
        asked = self._parameters.query or context.inputs.get("query")
        if not asked:
            asked = {name: value for name, value in context.inputs.items() if value is not None}
        if not asked:
            loc: list[str | int] = ["body", "stages", context.stage_index, "config", "parameters", "query"]
            raise ValidationError.at(loc, "there is nothing to look for: give `query`, here or as an input")
        return f"The request: {asked if isinstance(asked, str) else orjson.dumps(asked).decode()}"

    def _facts(self, course: Course) -> dict[str, JSON]:
        return {
            "iterations_used": course.turns,
            "timeout_hit": course.ending is Ending.TIME,
            "strategy": self._parameters.strategy.value,
            "stages_invoked": [step.told() for step in course.steps],
            "ended_by": course.ending.value,
            "model_used": course.model,
            "tokens_input": course.tokens_in,
            "tokens_output": course.tokens_out,
        }


def _step_in_words(step: Mapping[str, JSON]) -> str:
    return (
        f"{step.get('name')} {orjson.dumps(step.get('arguments')).decode()}: {step.get('error') or step.get('result')}"
    )


def _told(course: Course) -> list[str]:
    if course.error is not None:
        return [f"the agent ended early, with what it had found: {course.error.message}"]
    if course.ending in (Ending.TIME, Ending.TOKENS):
        return [f"the agent ended early, with what it had found: {course.ending.value} was met"]
    return []
