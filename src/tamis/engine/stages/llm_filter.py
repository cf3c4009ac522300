"""Keep the hits that a language model finds to meet a criterion."""

from collections.abc import Sequence
from math import ceil
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator

from tamis.engine.language.language_parameters import LanguageParameters, refused_feature
from tamis.engine.language.pictures import pictures_of
from tamis.engine.language.prompting import RULES, checked_prompt, instruction, mentioned, numbered, text_of
from tamis.engine.language.questions import ask_all, batches, key_of
from tamis.engine.needs import Need
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.spending.spending import Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import DROPPED
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_TASK = "You judge documents by a criterion and say of each whether to keep it. "
_TOKENS_A_VERDICT = 100
_TOKENS_A_DOCUMENT = 2_500


class LlmFilterParameters(LanguageParameters):
    criteria: str | None = Field(
        None, min_length=1, description="What a document must be to stay; else relevance to the input `query`."
    )
    content_field: str | None = Field(None, description="The field to judge by; else those that criteria name, or all.")
    include_reasoning: bool = Field(
        False,
        validation_alias=AliasChoices("include_reasoning", "explanation"),
        description="Put the model's reason on each hit that stays, under `llm_filter`.",
    )
    include_media: bool = Field(False, description="Show the model the documents' pictures, too.")
    batch_size: int = Field(10, ge=1, le=100, description="Documents in one question.")
    on_error: Literal["skip", "keep", "error"] = Field(
        "skip", description="A document without a verdict: left out, kept, or the stage fails."
    )
    feature_uri: str | None = Field(None, description="Not understood here: name the model instead.")

    _no_feature = field_validator("feature_uri")(refused_feature)

    @field_validator("criteria")
    @classmethod
    def _names_fields_only(cls, value: str | None) -> str | None:
        return None if value is None else checked_prompt(value)


class LlmFilter:
    """A verdict for each document; what stays keeps its order."""

    id: ClassVar[str] = "llm_filter"
    kind: ClassVar[StageKind] = StageKind.FILTER
    icon: ClassVar[str] = "brain"
    description: ClassVar[str] = (
        "Ask a language model of each document whether it meets a criterion in words, several documents a question, "
        "and keep those that do, in their order. Documents are data: what they ask for is not done."
    )
    Parameters: ClassVar[type[BaseModel]] = LlmFilterParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE})
    spends: ClassVar[Spending] = Spending(
        usage=lambda given, taken: Usage(
            calls=ceil(taken.count / given.batch_size), tokens=taken.count * _TOKENS_A_DOCUMENT
        )
    )
    example: ClassVar[dict[str, Any]] = {"criteria": "Keep only what is for runners.", "include_reasoning": True}

    def __init__(self, parameters: LlmFilterParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if not hits:
            return Outcome(Hits())
        given = self._parameters
        groups = list(batches(hits, given.batch_size))
        criteria = self._criteria(context)
        on_error: Literal["skip", "error"] = "error" if given.on_error == "error" else "skip"
        answers = await ask_all(context, [self._prompt(criteria, group) for group in groups], on_error)
        kept: list[Hit] = []
        dropped: dict[str, JSON] = {}
        for group, answer in zip(groups, answers.items, strict=True):
            for number, hit in enumerate(group, 1):
                if isinstance(answer, Reply):
                    stays, reason = _verdict(answer, number)
                else:
                    stays, reason = given.on_error == "keep", answer.message
                if not stays:
                    dropped[hit.id] = reason
                    continue
                kept.append(self._explained(hit, reason) if isinstance(answer, Reply) else hit)
        return Outcome(
            Hits.of(kept),
            tokens_used=answers.tokens,
            llm_calls=answers.calls,
            metadata={DROPPED: dropped} if dropped else {},
            warnings=answers.warnings("kept unjudged" if given.on_error == "keep" else "left out"),
        )

    def _criteria(self, context: Context) -> str:
        if self._parameters.criteria is not None:
            return instruction(self._parameters.criteria, context.render)
        return f"Keep only documents relevant to {context.inputs.get('query', 'the question')}"

    def _prompt(self, criteria: str, group: Sequence[Hit]) -> Prompt:
        given = self._parameters
        paths = (given.content_field,) if given.content_field else mentioned(given.criteria or "")
        texts = numbered([text_of(hit, paths) for hit in group])
        pictures = tuple(one for hit in group for one in pictures_of(hit)) if given.include_media else ()
        return given.ask(
            Message("system", _TASK + RULES),
            Message("user", f"Criterion: {criteria}\n\nDocuments:\n{texts}", pictures),
            schema=_schema(len(group)),
            max_tokens=_TOKENS_A_VERDICT * len(group) + 200,
        )

    def _explained(self, hit: Hit, reason: str) -> Hit:
        if not self._parameters.include_reasoning:
            return hit
        return hit.with_extra(llm_filter={"passed": True, "explanation": reason})


def _schema(count: int) -> dict[str, JSON]:
    """One verdict for each document by name: none can be left out, none given twice."""
    verdict: JSON = {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "keep": {"type": "boolean"}},
        "required": ["reason", "keep"],
        "additionalProperties": False,
    }
    names = [key_of(number) for number in range(1, count + 1)]
    properties: dict[str, JSON] = dict.fromkeys(names, verdict)
    return {"type": "object", "properties": properties, "required": [*names], "additionalProperties": False}


def _verdict(answer: Reply, number: int) -> tuple[bool, str]:
    value: Any = answer.value
    found = value[key_of(number)]
    return found["keep"], found["reason"]
