"""Keep what satisfies conditions on its fields, written as conditions or in words."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator, model_validator

from tamis.engine.language.known_fields import FieldKind, known_fields, of_documents
from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.language.worded_filter import TOKENS, question, worded
from tamis.engine.needs import Need
from tamis.engine.parameters import checked_filter, template_roots
from tamis.engine.running import sifting
from tamis.engine.spending.spending import Given, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.filters import Filter, Operator, has_regex, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.matching import looked_at, matcher, matches

MAX_LISTED = 10_000
_GROUPS = ("AND", "OR", "NOT")
_SAMPLED = 200
"""Documents that a first stage looks at to know what fields there are."""
_LONGEST_KEPT = 4096
"""Longer conditions are parsed anew each time: what callers send must not fill the memory."""
_OF_WORDS = ("field_hints", "provider", "model_name", "api_key")


class AttributeFilterParameters(LanguageParameters):
    conditions: dict[str, Any] | None = Field(
        None, description="AND, OR and NOT over conditions of field, operator and value, nested as deep as needed."
    )
    field: str = Field("metadata.status", min_length=1, description="One condition: the path of its field.")
    operator: Operator = Field(Operator.EQ, description="One condition: how to compare.")
    value: Any = Field(None, description="One condition: what to compare with. May name the document: `{{DOC.brand}}`.")
    case_insensitive: bool = Field(False, description="Ignore case everywhere, whatever the conditions say.")
    case_sensitive: bool = Field(False, description="Heed case where a condition does not say.")
    batch_size: int = Field(100, ge=1, le=1000, description="Accepted; the filter needs no batches.")
    natural_language: str | None = Field(
        None, min_length=1, max_length=4_000, description="The conditions as a sentence; a language model writes them."
    )
    field_hints: list[str] | None = Field(
        None, max_length=100, description="Of `natural_language`: paths that it may name, found among documents or not."
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, raw: Any) -> Any:
        """A null `value` is a value; groups written without `conditions` around them are understood."""
        if not isinstance(raw, dict):
            return raw
        given = {key: value for key, value in raw.items() if value is not None or key == "value"}
        bare = {key: given.pop(key) for key in _GROUPS if key in given}
        return {**given, "conditions": bare} if bare and "conditions" not in given else {**given, **bare}

    @field_validator("conditions")
    @classmethod
    def _is_a_filter(cls, value: Any) -> Any:
        return checked_filter(value)

    @field_validator("natural_language")
    @classmethod
    def _is_of_no_document(cls, value: str | None) -> str | None:
        if value is not None and "DOC" in template_roots(value):
            raise ValueError(
                "one sentence for all documents: DOC is not known in it; `llm_filter` judges each by itself"
            )
        return value

    @model_validator(mode="after")
    def _one_form(self) -> "AttributeFilterParameters":
        given = self.model_fields_set
        simple = {"field", "operator", "value"} & given
        # Generated clients send the other form's defaults along: a value is what tells that both are meant.
        forms = [self.natural_language is not None, self.conditions is not None, self.value is not None]
        if sum(forms) > 1:
            raise ValueError("give either conditions, or field, operator and value, or natural_language")
        if self.natural_language is not None:
            return self
        beside = [name for name in _OF_WORDS if getattr(self, name) is not None]
        if beside:
            raise ValueError(f"{beside[0]} goes with natural_language")
        if self.conditions is None:
            if not simple or ("value" not in given and self.operator not in (Operator.EXISTS, Operator.IS_NULL)):
                raise ValueError("give conditions, or field, operator and value, or natural_language")
            checked_filter(self.tree())
        return self

    def tree(self) -> dict[str, Any]:
        """The filter in the contract's JSON, templates unfilled."""
        if self.conditions is not None:
            return {"case_sensitive": self.case_sensitive, **self.conditions}
        one = {"field": self.field, "operator": self.operator.value, "case_sensitive": self.case_sensitive}
        return {**one, "value": self.value} if "value" in self.model_fields_set else one


def _listed(given: Given) -> float:
    return MAX_LISTED if given.is_first else given.count


def _usage(parameters: AttributeFilterParameters, given: Given) -> Usage:
    asks = parameters.natural_language is not None
    return Usage(documents=_listed(given), calls=int(asks), tokens=TOKENS * asks)


@dataclass(frozen=True, slots=True)
class _Written:
    """Conditions as a cache's key: by their text, which tells numbers, booleans and texts apart."""

    text: str
    ignore_case: bool
    tree: dict[str, Any] = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Condition:
    """by_document: each document fills its templates; nothing else is known then."""

    by_document: bool
    filter: Filter | None = None
    looked_at: frozenset[str] = frozenset()
    matches: Callable[[Mapping[str, JSON]], bool] | None = None


def _condition(written: _Written) -> _Condition:
    """Conditions are parsed once, however often they run. Raises: ValidationError."""
    return _kept(written) if len(written.text) <= _LONGEST_KEPT else _compiled(written)


def _compiled(written: _Written) -> _Condition:
    if "DOC" in template_roots(written.tree):
        return _Condition(by_document=True)
    parsed = _parsed(written.tree, written.ignore_case)
    return _Condition(False, parsed, looked_at(parsed), matcher(parsed)) if parsed else _Condition(False)


_kept = lru_cache(maxsize=1024)(_compiled)


def _parsed(tree: dict[str, Any], ignore_case: bool) -> Filter | None:
    return parse_filter(_heedless(tree) if ignore_case else tree, ["parameters", "conditions"])


class AttributeFilter:
    """Filter hits by their fields; as the first stage, list the documents that match."""

    id: ClassVar[str] = "attribute_filter"
    kind: ClassVar[StageKind] = StageKind.FILTER
    icon: ClassVar[str] = "list-filter"
    description: ClassVar[str] = (
        "Keep the hits whose fields satisfy a condition, or conditions joined by AND, OR and NOT; they stay in their "
        "order. As a pipeline's first stage it lists the matching documents of the collections, by id, up to 10,000. "
        "With natural_language a language model writes the conditions, over the fields that there are."
    )
    Parameters: ClassVar[type[BaseModel]] = AttributeFilterParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(usage=_usage, yields=lambda _, given: _listed(given))
    example: ClassVar[dict[str, Any]] = {
        "conditions": {"AND": [{"field": "metadata.price", "operator": "lte", "value": 20}]}
    }

    @classmethod
    def effects_with(cls, parameters: Mapping[str, Any]) -> frozenset[Effect]:
        """A sentence is put to a language model; conditions ask nobody."""
        asks = parameters.get("natural_language") is not None
        return frozenset({Effect.OUTSIDE, Effect.SPENDS}) if asks else cls.effects

    @classmethod
    def needs_with(cls, parameters: Mapping[str, Any]) -> frozenset[Need]:
        asks = parameters.get("natural_language") is not None
        return frozenset({Need.LANGUAGE}) if asks else frozenset()

    def __init__(self, parameters: AttributeFilterParameters) -> None:
        self._parameters = parameters
        self._is_worded = parameters.natural_language is not None
        self._tree = {} if self._is_worded else parameters.tree()
        self._is_single = parameters.conditions is None
        self._ignore_case = parameters.case_insensitive
        condition = _condition(_Written(repr(self._tree), self._ignore_case, self._tree))
        self._by_document = condition.by_document
        self._filter = condition.filter
        self._looked_at = condition.looked_at
        self._matches = condition.matches

    @property
    def filter(self) -> Filter | None:
        """The filter, for a planner that moves it into a search; None where only a run or each document tells it."""
        return self._filter

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if self._is_worded:
            return await self._by_words(hits, context)
        if context.stage_index == 0 and not hits:
            return await self._listed(context)
        return Outcome(Hits.of(await self._kept(hits, context)))

    def brings(self, stage_index: int) -> bool:
        return stage_index == 0

    async def _by_words(self, hits: Hits, context: Context) -> Outcome:
        """The stage as it runs on the conditions that a language model makes of the sentence."""
        given = self._parameters
        sample, where = hits, context.collections[:0]
        if context.stage_index == 0 and not hits:
            documents, _ = await context.searcher.list_documents(context.principal, context.collections, None, _SAMPLED)
            sample, where = of_documents(documents), context.collections
        if not sample:
            return Outcome(Hits(), processed=0)
        fields = known_fields(sample, where, given.field_hints or ())
        if hits:
            fields["score"] = FieldKind.NUMBER
        prompt = question(given.natural_language or "", fields, given)
        reply = await context.reach.language.ask(context.principal, prompt, context.allowance)
        answer = worded(reply, context.clock.now)
        resolved: dict[str, JSON] = {
            "conditions": answer.conditions,
            "case_insensitive": given.case_insensitive,
            "case_sensitive": given.case_sensitive,
        }
        plain = AttributeFilter(AttributeFilterParameters.model_validate(resolved))
        outcome = await plain.run(hits, context)
        return replace(outcome, tokens_used=answer.tokens, llm_calls=answer.calls, parameters=resolved)

    async def explain(self, case: Case, context: Context) -> Verdict:
        hit = case.hit or Hit(case.document.document_id, 1.0, case.document)
        if case.hit is None and case.document.collection_id not in {one.collection_id for one in context.collections}:
            return case.not_searched(context.collections)
        tree = context.render(self._tree, hit) if self._by_document else self._tree
        written = case.definition["stages"][case.index]["parameters"]
        inside = ("parameters",) if self._is_single or "conditions" not in written else ("parameters", "conditions")
        if "natural_language" in written:
            inside = ("parameters", "natural_language")
        refused = await case.refused(_heedless(tree) if self._ignore_case else tree, inside, hit)
        if refused is not None:
            return refused
        passes = Verdict(VerdictKind.CHANGED, "it satisfies the conditions now: it has changed since this ran")
        return passes if case.hit or len(case.returned) < MAX_LISTED else _beyond(case)

    async def _listed(self, context: Context) -> Outcome:
        documents, more = await context.searcher.list_documents(
            context.principal, context.collections, self._filter, MAX_LISTED
        )
        listed = [Hit(document.document_id, 1.0, document, {context.stage_name: 1.0}) for document in documents]
        kept = await self._kept(listed, context) if self._by_document else listed
        cut = f"more than {MAX_LISTED} documents match; the first {MAX_LISTED} were taken: narrow the filter or search"
        return Outcome(Hits.of(kept), processed=len(listed), warnings=(cut,) if more else ())

    async def _kept(self, hits: Iterable[Hit], context: Context) -> list[Hit]:
        if not self._by_document:
            has_patterns = self._filter is not None and has_regex(self._filter)
            return await sifting.sifted(hits, lambda hit: self._keeps(hit, context), has_patterns)
        kept = []
        for hit in hits:
            # A template may be long work: between two documents others get their turn, and the budget its say.
            await asyncio.sleep(0)
            if self._keeps(hit, context):
                kept.append(hit)
        return kept

    def _keeps(self, hit: Hit, context: Context) -> bool:
        if self._by_document:
            filter = self._parsed(context.render(self._tree, hit))
            return filter is None or matches(filter, hit.view())
        return self._matches is None or self._matches(hit.part(self._looked_at))

    def _parsed(self, tree: dict[str, Any]) -> Filter | None:
        return _parsed(tree, self._ignore_case)


def _heedless(tree: JSON) -> Any:
    """The same conditions, none of them heeding case."""
    if isinstance(tree, dict):
        return {key: False if key == "case_sensitive" else _heedless(value) for key, value in tree.items()}
    return [_heedless(item) for item in tree] if isinstance(tree, list) else tree


def _beyond(case: Case) -> Verdict:
    reason = f"more than {MAX_LISTED} documents match; the first {MAX_LISTED} by id were taken, and it comes later"
    return Verdict(VerdictKind.CUT, reason, {"limit": MAX_LISTED, "last": case.returned[-1].id})
