"""Documents as context for a language model: formatted, cited, within a number of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from tamis.engine.groups.grouping import value_at
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Given, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.text import tokens
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class CitationParameters(StageParameters):
    style: Literal["numbered", "bracketed", "footnote", "none"] = Field(
        "numbered",
        description="numbered: [1]. bracketed: [document id]. footnote: a superscript number. none: nothing.",
    )
    include_title: bool = Field(True, description="Each citation names the document's `title`.")
    include_url: bool = Field(False, description="Each citation names the document's `url`.")


class RagPrepareParameters(StageParameters):
    max_tokens: int = Field(8000, ge=100, le=128_000, description="Tokens of all documents together, at most.")
    tokenizer: Literal["cl100k_base", "o200k_base", "approximate"] = Field(
        "cl100k_base",
        description="Which tokens are meant. All are counted by one rule without a vocabulary: some 10% too many of "
        "English and code, too few of German; the stage's metadata says so.",
    )
    truncation_strategy: Literal["priority_truncate", "proportional", "drop_last"] = Field(
        "priority_truncate",
        description="priority_truncate: best first, the last that fits in part is cut. proportional: each gets its "
        "share. drop_last: whole documents until one does not fit.",
    )
    output_mode: Literal["single_context", "formatted_list"] = Field(
        "single_context",
        description="single_context: one row of all. formatted_list: the documents, each with its text.",
    )
    document_template: str | None = Field(
        None,
        min_length=1,
        description="Template of each document; it sees DOC, CONTEXT.INDEX (from 1) and CONTEXT.CITATION. null: the "
        "citation, then the content.",
    )
    content_field: str = Field("content", min_length=1, description="Path of the content; else `text` is taken.")
    separator: str = Field("\n", max_length=1000, description="Between documents.")
    citation: CitationParameters = Field(default_factory=CitationParameters, description="How documents are cited.")
    context_field: str = Field("rag_context", min_length=1, description="single_context: field of the text.")
    citations_field: str = Field("citations", min_length=1, description="single_context: field of the citations.")
    formatted_content_field: str = Field(
        "formatted_content", min_length=1, description="formatted_list: field of each document's text."
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    hit: Hit
    index: int
    text: str
    content: str


class RagPrepare:
    """Best first. Calls no model."""

    id: ClassVar[str] = "rag_prepare"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "file-text"
    description: ClassVar[str] = (
        "Format the documents, best first, as context for a language model: cited, and cut to a number of tokens. "
        "Gives one row with the whole context and its citations, or each document with its formatted text."
    )
    Parameters: ClassVar[type[BaseModel]] = RagPrepareParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=lambda parameters, given: _rows(parameters, given))
    example: ClassVar[dict[str, Any]] = {
        "max_tokens": 4000,
        "content_field": "text",
        "document_template": "{{CONTEXT.CITATION}} {{DOC.content}}",
    }

    def __init__(self, parameters: RagPrepareParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        dropped: dict[str, JSON] = {}
        pieces: list[_Piece] = []
        for hit in Hits.ranked(hits):
            try:
                pieces.append(self._piece(hit, len(pieces) + 1, context))
            except ValidationError as error:
                dropped[hit.id] = str(error.problems[0]["msg"]) if error.problems else error.message
        warnings = [f"{len(dropped)} documents could not be formatted and were left out"] if dropped else []
        kept = self._fitted(pieces)
        dropped.update({one.hit.id: "no tokens were left for it" for one in pieces[len(kept) :]})
        facts: dict[str, JSON] = {
            "token_count": sum(tokens.count(one.text) for one in kept),
            "tokenizer": tokens.NAME,
            "documents": len(kept),
            **({DROPPED: dropped} if dropped else {}),
        }
        return Outcome(self._shown(kept), processed=len(hits), metadata=facts, warnings=tuple(warnings))

    def _piece(self, hit: Hit, index: int, context: Context) -> _Piece:
        given = self._parameters
        view = hit.view()
        found = value_at(view, given.content_field)
        content = _text(value_at(view, "text") if found is None else found)
        cited = self._marker(hit, index)
        if given.document_template is None:
            return _Piece(hit, index, f"{cited} {content}\n\n" if cited else f"{content}\n\n", content)
        here = {"INDEX": index, "CITATION": cited}
        told = context.render(given.document_template, hit.with_extra(content=content), here)
        return _Piece(hit, index, _text(told), content)

    def _marker(self, hit: Hit, index: int) -> str:
        style = self._parameters.citation.style
        if style == "footnote":
            return str(index).translate(_SUPERSCRIPT)
        return {"numbered": f"[{index}]", "bracketed": f"[{hit.id}]"}.get(style, "")

    def _fitted(self, pieces: Sequence[_Piece]) -> list[_Piece]:
        """Those that fit, cut as the strategy says."""
        given = self._parameters
        sizes = [tokens.count(one.text) for one in pieces]
        between = tokens.count(given.separator) if given.output_mode == "single_context" else 0
        left = given.max_tokens
        if given.truncation_strategy == "proportional":
            return _shares(pieces, sizes, left, between)
        kept: list[_Piece] = []
        for piece, size in zip(pieces, sizes, strict=True):
            room = left - (between if kept else 0)
            if size > room:
                if given.truncation_strategy == "priority_truncate" and (text := tokens.cut(piece.text, room)):
                    kept.append(replace(piece, text=text))
                break
            kept.append(piece)
            left = room - size
        return kept

    def _shown(self, kept: Sequence[_Piece]) -> Hits:
        given = self._parameters
        if given.output_mode == "formatted_list":
            return Hits.of(
                one.hit.with_extra(**{given.formatted_content_field: one.text, "original_content": one.content})
                for one in kept
            )
        if not kept:
            return Hits()
        fields: dict[str, JSON] = {
            given.context_field: given.separator.join(one.text for one in kept),
            given.citations_field: [] if given.citation.style == "none" else [self._citation(one) for one in kept],
        }
        return Hits((Hit("rag_context", kept[0].hit.score, extra=fields),))

    def _citation(self, piece: _Piece) -> dict[str, JSON]:
        citation, view = self._parameters.citation, piece.hit.view()
        shown: dict[str, JSON] = {"index": piece.index, "document_id": piece.hit.id}
        if citation.include_title:
            shown["title"] = value_at(view, "title")
        if citation.include_url:
            shown["url"] = value_at(view, "url")
        return shown


def _shares(pieces: Sequence[_Piece], sizes: Sequence[int], most: int, between: int) -> list[_Piece]:
    """Each as many tokens as its part of the whole. Ends at the first that has none."""
    room = most - between * max(0, len(pieces) - 1)
    total = sum(sizes)
    if total <= room:
        return list(pieces)
    cut = [
        replace(one, text=tokens.cut(one.text, size * max(room, 0) // total))
        for one, size in zip(pieces, sizes, strict=True)
    ]
    whole = next((place for place, one in enumerate(cut) if not one.text), len(cut))
    return cut[:whole]


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _rows(parameters: RagPrepareParameters, given: Given) -> float:
    return min(given.count, 1) if parameters.output_mode == "single_context" else given.count
