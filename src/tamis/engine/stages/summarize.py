"""Let a language model make one text of many hits, or one of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator

from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.language.prompting import RULES, checked_prompt, cut, instruction, mentioned, numbered, text_of
from tamis.engine.language.questions import OnError, ask_all
from tamis.engine.needs import Need
from tamis.engine.planning.json_schemas import checked_schema
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.spending.spending import Given, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.errors import ValidationError
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.matching import resolve

_TASK = "You write about documents, from what they say and nothing else. "
_CITE = "Mark what you take from a document with its number in brackets, as [1]. "
_PROMPT = "Summarize the documents."
_CHARACTERS_A_TOKEN = 4
"""Of English, in the usual vocabularies; limits in tokens are kept by it, since each model counts otherwise."""
_LONGEST = 1_000_000


class SummarizeParameters(LanguageParameters):
    prompt: str = Field(_PROMPT, min_length=1, description="What to write; may name {{DOC.path}}.")
    mode: Literal["aggregate", "per_document"] = Field("aggregate", description="One text of all, or one of each.")
    content_field: str = Field(
        "content", min_length=1, description="The field to read; a hit without it is read whole."
    )
    group_by: str | None = Field(None, description="One text for each value of this field.")
    include_metadata: bool = Field(True, description="Show the model the documents' other fields, too.")
    include_sources: bool = Field(
        True,
        validation_alias=AliasChoices("include_sources", "include_citations"),
        description="Ask for citations, and list what was read under `citations`.",
    )
    max_input_tokens: int = Field(8_000, ge=100, le=128_000, description="Of the documents, at four characters each.")
    max_output_tokens: int = Field(1_024, ge=10, le=16_000, description="Of one text.")
    truncation_strategy: Literal["drop_last", "truncate"] = Field(
        "drop_last", description="Too much input: leave out the last documents, or shorten all alike."
    )
    temperature: float = Field(0.3, ge=0, le=2, description="How freely the model words it.")
    output_field: str = Field("summary", min_length=1, description="The field that the text is put in.")
    output_schema: dict[str, Any] | None = Field(
        None, description="JSON Schema that the answer is validated against; without, it is text."
    )
    on_error: OnError = Field("skip", description="Without an answer: a row that says so, or the stage fails.")
    document_template: str | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="How each document is written for the model, fenced; sees DOC, with its content as DOC.content, "
        "and INDEX, from 1. A document that it cannot be filled for is read as without it.",
    )

    _prompt = field_validator("prompt")(checked_prompt)

    @field_validator("output_schema")
    @classmethod
    def _is_a_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if value is None else checked_schema(value)


@dataclass(frozen=True, slots=True)
class _Share:
    """Hits that one text is made of. value: of the field that they are grouped by."""

    hits: Sequence[Hit]
    value: JSON = None


def _texts(parameters: SummarizeParameters, given: Given) -> float:
    many = parameters.mode == "per_document" or parameters.group_by is not None
    return given.count if many else min(given.count, 1)


class Summarize:
    """A row with a text for all hits or each group; or a text on each hit."""

    id: ClassVar[str] = "summarize"
    kind: ClassVar[StageKind] = StageKind.REDUCE
    icon: ClassVar[str] = "file-text"
    description: ClassVar[str] = (
        "Let a language model write one text from all hits, one for each group, or one for each hit: a summary, or an "
        "answer to a question, with citations of what it was made from."
    )
    Parameters: ClassVar[type[BaseModel]] = SummarizeParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE})
    spends: ClassVar[Spending] = Spending(
        usage=lambda parameters, given: Usage(
            calls=_texts(parameters, given),
            tokens=_texts(parameters, given) * (parameters.max_input_tokens + parameters.max_output_tokens),
        ),
        yields=_texts,
    )
    example: ClassVar[dict[str, Any]] = {"prompt": "Say in one sentence what is on offer.", "content_field": "text"}

    def __init__(self, parameters: SummarizeParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if not hits:
            return Outcome(Hits())
        told = instruction(self._parameters.prompt, context.render)
        shares = [self._fitting(share, context) for share in self._shares(hits)]
        prompts = [self._prompt(told, texts) for _, texts in shares]
        answers = await ask_all(context, prompts, self._parameters.on_error)
        rows = [
            self._row(share, len(texts), answer, number, context)
            for number, ((share, texts), answer) in enumerate(zip(shares, answers.items, strict=True))
        ]
        left_out = sum(len(share.hits) - len(texts) for share, texts in shares)
        cut = (f"{left_out} documents did not fit into max_input_tokens and were left out",) if left_out else ()
        return Outcome(
            Hits.of(rows),
            tokens_used=answers.tokens,
            llm_calls=answers.calls,
            warnings=(*cut, *answers.warnings("no text was made of their documents")),
        )

    def _shares(self, hits: Hits) -> list[_Share]:
        given = self._parameters
        if given.mode == "per_document":
            return [_Share((hit,)) for hit in hits]
        if given.group_by is None:
            return [_Share(hits)]
        groups: dict[str, tuple[JSON, list[Hit]]] = {}
        for hit in hits:
            values = resolve(hit.view(), canonical_path(given.group_by))
            value = values[0] if values else None
            groups.setdefault(repr(value), (value, []))[1].append(hit)
        return [_Share(members, value) for value, members in groups.values()]

    def _fitting(self, share: _Share, context: Context) -> tuple[_Share, list[str]]:
        """The documents' texts that fit: all shortened alike, or the first; the first always, if need be shortened."""
        given = self._parameters
        room = given.max_input_tokens * _CHARACTERS_A_TOKEN
        if given.truncation_strategy == "truncate":
            each = max(room // len(share.hits), 1)
            return share, [self._text(hit, number, each, context) for number, hit in enumerate(share.hits, 1)]
        texts = [self._text(share.hits[0], 1, room, context)]
        used = len(texts[0])
        for number, hit in enumerate(share.hits[1:], 2):
            text = self._text(hit, number, _LONGEST, context)
            used += len(text)
            if used > room:
                break
            texts.append(text)
        return share, texts

    def _text(self, hit: Hit, number: int, characters: int, context: Context) -> str:
        given = self._parameters
        if given.document_template is not None:
            try:
                return cut(_written(given.document_template, given.content_field, hit, number, context), characters)
            except ValidationError:
                pass
        whole = given.include_metadata and given.mode == "aggregate"
        paths = mentioned(given.prompt) or (() if whole else (given.content_field,))
        return text_of(hit, paths, characters)

    def _prompt(self, told: str, texts: Sequence[str]) -> Prompt:
        given = self._parameters
        cite = _CITE if given.include_sources and given.mode == "aggregate" and given.output_schema is None else ""
        return given.ask(
            Message("system", _TASK + cite + RULES),
            Message("user", f"{told}\n\nDocuments:\n{numbered(texts)}"),
            schema=given.output_schema,
            max_tokens=given.max_output_tokens,
            temperature=given.temperature,
        )

    def _row(self, share: _Share, read: int, answer: Reply | Exception, number: int, context: Context) -> Hit:
        given = self._parameters
        made: dict[str, JSON] = {given.output_field: None}
        if isinstance(answer, Reply):
            made[given.output_field] = answer.text if given.output_schema is None else answer.value
        if given.mode == "per_document":
            return share.hits[0].with_extra(**made) if isinstance(answer, Reply) else share.hits[0]
        if isinstance(answer, Reply):
            made |= {"model": answer.model, "tokens_used": answer.tokens_in + answer.tokens_out}
        else:
            made["error"] = str(answer)
        if given.group_by is not None:
            made["group"] = share.value
        if given.include_sources:
            made["citations"] = [_citation(n, hit) for n, hit in enumerate(share.hits[:read], 1)]
        return Hit(f"{context.stage_name}:{number}", share.hits[0].score, extra=made)


def _written(template: str, content_field: str, hit: Hit, number: int, context: Context) -> str:
    """Raises: ValidationError where the document lacks what the template names."""
    view = hit.view()
    found = resolve(view, canonical_path(content_field)) or resolve(view, "text")
    told = hit.with_extra(content=found[0]) if found else hit
    return str(context.render(template, told, {"INDEX": number}))


def _citation(number: int, hit: Hit) -> JSON:
    titles = resolve(hit.view(), "title")
    return {"index": number, "document_id": hit.id, "title": titles[0] if titles else None}
