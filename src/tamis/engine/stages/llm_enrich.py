"""Give each hit a field that a language model makes of it."""

import json
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any, ClassVar

from pydantic import AliasChoices, BaseModel, Field, field_validator

from tamis.engine.language.language_parameters import Effort, LanguageParameters, refused_feature
from tamis.engine.language.pictures import pictures_at
from tamis.engine.language.prompting import RULES, checked_prompt, instruction, mentioned, numbered, text_of
from tamis.engine.language.questions import Answers, OnError, ask_all, key_of
from tamis.engine.needs import Need
from tamis.engine.parameters import checked_filter
from tamis.engine.planning.json_schemas import checked_schema
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.running import sifting
from tamis.engine.spending.spending import Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.model.filters import canonical_path, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_TASK = "You work through documents, each by itself, and give for each what is asked for. "
_TOKENS_A_DOCUMENT = 3_000
_TOKENS_AN_ANSWER = 500
_PROMPT = "Summarize the document in two or three sentences."
_REFERENCE = "$ref"


class LlmEnrichParameters(LanguageParameters):
    prompt: str = Field(_PROMPT, min_length=1, description="What to make of a document; may name {{DOC.path}}.")
    content_field: str | None = Field(None, description="The field to read; else those that the prompt names, or all.")
    output_field: str = Field("summary", min_length=1, description="The field that the answer is put in.")
    output_schema: dict[str, Any] | None = Field(
        None,
        validation_alias=AliasChoices("output_schema", "schema"),
        description="JSON Schema that each answer is validated against (also `schema`); without, it is text.",
    )
    batch_size: int = Field(5, ge=1, le=25, description="Documents in one question.")
    max_tokens: int | None = Field(None, ge=100, le=16_000, description="Of one answer.")
    temperature: float = Field(0.2, ge=0, le=1, description="How freely the model words it.")
    thinking_level: Effort | None = Field(None, description="How much a reasoning model thinks.")
    multimodal_inputs: dict[str, str] | None = Field(
        None, description="Pictures that go along: a name for each, and the field that it is in."
    )
    when: dict[str, Any] | None = Field(None, description="Only documents that match; the others stay as they are.")
    use_vcache: bool = Field(False, description="Only false: equal questions are answered by the stage cache.")
    on_error: OnError = Field("skip", description="A document without an answer stays as it is, or the stage fails.")
    feature_uri: str | None = Field(None, description="Not understood here: name the model instead.")

    _no_feature = field_validator("feature_uri")(refused_feature)
    _when = field_validator("when")(checked_filter)
    _prompt = field_validator("prompt")(checked_prompt)

    @field_validator("output_schema")
    @classmethod
    def _is_a_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if value is None else checked_schema(value)

    @field_validator("use_vcache")
    @classmethod
    def _no_similar_answers(cls, value: bool) -> bool:
        if value:
            raise ValueError("answers to similar questions are not reused; leave it false")
        return value


class LlmEnrich:
    """One answer for each document, validated, under a field of its own."""

    id: ClassVar[str] = "llm_enrich"
    kind: ClassVar[StageKind] = StageKind.ENRICH
    icon: ClassVar[str] = "sparkles"
    description: ClassVar[str] = (
        "Let a language model read each document and put what it is asked for into a field: text, or JSON that is "
        "validated against a schema. The hits and their order stay."
    )
    Parameters: ClassVar[type[BaseModel]] = LlmEnrichParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE})
    spends: ClassVar[Spending] = Spending(
        usage=lambda given, taken: Usage(
            calls=ceil(taken.count / given.batch_size), tokens=taken.count * _TOKENS_A_DOCUMENT
        )
    )
    example: ClassVar[dict[str, Any]] = {
        "prompt": "Name the sport that the document is about.",
        "output_field": "sport",
        "output_schema": {"type": "object", "properties": {"sport": {"type": "string"}}, "required": ["sport"]},
    }

    def __init__(self, parameters: LlmEnrichParameters) -> None:
        self._parameters = parameters
        self._when = parse_filter(parameters.when, ["parameters", "when"])
        # References in a schema go from its root: it cannot stand inside a schema of several answers.
        self._alone = _REFERENCE in json.dumps(parameters.output_schema)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        chosen = await sifting.meant(hits, self._when)
        if not chosen:
            return Outcome(hits)
        size = 1 if self._alone else self._parameters.batch_size
        groups = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        told = instruction(self._parameters.prompt, context.render)
        prompts = [self._prompt(told, group) for group in groups]
        answers = await ask_all(context, prompts, self._parameters.on_error)
        made = dict(self._made(groups, answers))
        errors: dict[str, JSON] = {
            hit.id: answer.message
            for group, answer in zip(groups, answers.items, strict=True)
            for hit in group
            if not isinstance(answer, Reply)
        }
        field = self._parameters.output_field
        rows = [hit if hit.id not in made else hit.with_extra(**_placed(hit, field, made[hit.id])) for hit in hits]
        return Outcome(
            Hits.of(rows),
            tokens_used=answers.tokens,
            llm_calls=answers.calls,
            metadata={"errors": errors} if errors else {},
            warnings=answers.warnings("their documents stay as they were"),
        )

    def _prompt(self, told: str, group: Sequence[Hit]) -> Prompt:
        given = self._parameters
        paths = (given.content_field,) if given.content_field else mentioned(given.prompt)
        wanted = list((given.multimodal_inputs or {}).values())
        pictures = tuple(one for hit in group for path in wanted for one in pictures_at(hit, path))
        texts = numbered([text_of(hit, paths) for hit in group])
        return given.ask(
            Message("system", _TASK + RULES),
            Message("user", f"For each document: {told}\n\nDocuments:\n{texts}", pictures),
            schema=self._schema(len(group)),
            max_tokens=(given.max_tokens or _TOKENS_AN_ANSWER) * len(group),
            temperature=given.temperature,
            effort=given.thinking_level,
        )

    def _schema(self, count: int) -> dict[str, JSON]:
        one: dict[str, JSON] = self._parameters.output_schema or {"type": "string"}
        if self._alone:
            return one
        names = [key_of(number) for number in range(1, count + 1)]
        properties: dict[str, JSON] = dict.fromkeys(names, one)
        return {"type": "object", "properties": properties, "required": [*names], "additionalProperties": False}

    def _made(self, groups: Sequence[Sequence[Hit]], answers: Answers) -> Iterator[tuple[str, JSON]]:
        for group, answer in zip(groups, answers.items, strict=True):
            if not isinstance(answer, Reply):
                continue
            value: Any = answer.value
            for number, hit in enumerate(group, 1):
                yield hit.id, value if self._alone else value[key_of(number)]


def _placed(hit: Hit, path: str, value: JSON) -> dict[str, JSON]:
    """The root field that holds the value at a path with dots, what else is in it kept. `metadata.x` is `x`."""
    root, *steps = canonical_path(path).split(".")
    for position in range(len(steps) - 1, -1, -1):
        inner: Any = hit.view().get(root)
        for step in steps[:position]:
            inner = inner.get(step) if isinstance(inner, dict) else None
        value = {**(inner if isinstance(inner, dict) else {}), steps[position]: value}
    return {root: value}
