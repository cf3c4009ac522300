"""What an agent that classifies a document may look up: categories, classified examples, a second model's opinion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, Field

from tamis.engine.language.agent import Course, Model, Tool, ToolError
from tamis.engine.language.agent_tools import shown
from tamis.engine.language.prompting import RULES
from tamis.engine.matching.reference_matching import feature_uri
from tamis.engine.parameters import StageParameters
from tamis.engine.ports.language import Message, Prompt
from tamis.engine.querying.queries import TextQuery
from tamis.engine.searching.searcher import Search
from tamis.engine.stage import Context
from tamis.errors import TamisError
from tamis.model.collection import Collection
from tamis.model.hits import Hit
from tamis.model.json import JSON

_EXAMPLES = 100
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_MOST_PICTURES = 4


class NoArguments(StageParameters):
    """Of a tool that takes none."""


class ExampleArguments(StageParameters):
    query: str = Field(min_length=1, max_length=2_000, description="What examples are to be like, in plain words.")
    label: str | None = Field(None, min_length=1, description="Only examples that have this category somewhere.")
    limit: int = Field(5, ge=1, le=10, description="How many.")


class QuestionArguments(StageParameters):
    question: str = Field(min_length=1, max_length=2_000, description="What is to be found out about the content.")


@dataclass(frozen=True, slots=True)
class Analyst:
    """A second model that is shown the document alone, its pictures with it."""

    context: Context
    model: Model

    async def ask(self, question: str, hit: Hit, course: Course) -> str:
        """Raises: ToolError."""
        rules = f"Answer the question about the document. {RULES}"
        prompt = Prompt(
            (
                Message("system", rules),
                Message("user", f"The question: {question}\n\nThe document:\n{shown(hit, 12_000)}", pictures(hit)),
            ),
            provider=self.model.provider,
            model=self.model.name,
            key=self.model.key,
        )
        context = self.context
        try:
            reply = await context.reach.language.ask(context.principal, prompt, context.allowance)
        except TamisError as error:
            raise ToolError(error.message) from error
        course.spent(reply)
        answer = Hit("analysis", 0.0, extra={"analysis": reply.text})
        return f"It was analysed:\n{shown(answer)}"


@dataclass(frozen=True, slots=True)
class Lookups:
    """taxonomy: the author's own.  examples: collections to search."""

    context: Context
    taxonomy: JSON
    examples: Sequence[Collection]
    analyst: Analyst

    def tools(self, hit: Hit, course: Course) -> list[Tool]:
        """Those that there is something behind."""

        async def analyze(given: Any) -> str:
            return await self.analyst.ask(given.question, hit, course)

        found = [Tool("analyze_content", "Have a second model look at the document.", QuestionArguments, analyze)]
        if self.examples:
            about = "Search documents that are classified already, by meaning."
            found.insert(0, Tool("query_examples", about, ExampleArguments, self._examples))
        if self.taxonomy:
            about = "All categories, with what describes them."
            found.insert(0, Tool("get_taxonomy_categories", about, NoArguments, self._categories))
        return found

    async def _categories(self, _given: BaseModel) -> str:
        return f"The categories:\n{orjson.dumps(self.taxonomy).decode()}"

    async def _examples(self, given: Any) -> str:
        context = self.context
        try:
            searches = [
                Search(feature_uri(None, one), TextQuery(given.query), (one,), _EXAMPLES) for one in self.examples
            ]
            answers = await context.searcher.search(context.principal, searches)
        except TamisError as error:
            raise ToolError(error.message) from error
        ranked = sorted((-one.score, one.document_id) for answer in answers for one in answer.ranking)
        documents = await context.searcher.hydrate(context.principal, [key for _, key in ranked])
        hits = [Hit(key, -negated, documents[key]) for negated, key in ranked if key in documents]
        kept = [hit for hit in hits if given.label is None or _holds(hit.view(), given.label.casefold())]
        return "\n".join([f"{len(kept[: given.limit])} examples:", *(shown(hit) for hit in kept[: given.limit])])


def pictures(hit: Hit) -> tuple[str, ...]:
    """Addresses of the document's pictures, at most four: data URLs, and https addresses that end as a picture's do."""
    return tuple(dict.fromkeys(text for text in _texts(hit.view()) if _is_picture(text)))[:_MOST_PICTURES]


def _is_picture(text: str) -> bool:
    plain = text.partition("?")[0].casefold()
    return text.startswith("data:image/") or (plain.startswith("https://") and plain.endswith(_PICTURES))


def _texts(value: JSON) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _holds(value: JSON, label: str) -> bool:
    return any(text.casefold() == label for text in _texts(value))
