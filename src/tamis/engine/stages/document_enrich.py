"""Documents of another collection, joined by a key or found by a retriever."""

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from tamis.engine.groups.grouping import identity, sorted_json, value_at
from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters, checked_filter
from tamis.engine.ports.retrieving import Retrieve, Retrieved
from tamis.engine.running import sifting
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import AllowanceSpentError, TamisError, ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Condition, Operator, canonical_path, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.matching import elements, resolve

KEYS_AT_ONCE = 200
MAX_JOINED = 10_000
RETRIEVERS_AT_ONCE = 10
_MOST_WARNINGS = 5
Answer: TypeAlias = Retrieved | TamisError
_OF_A_JOIN = ("target_collection_id", "target_field", "source_field")


class DocumentEnrichParameters(StageParameters):
    target_collection_id: str | None = Field(
        None,
        min_length=1,
        validation_alias=AliasChoices("target_collection_id", "collection_id"),
        description="The collection to join from, by id or name; null or {{COLLECTION_ID}} is the pipeline's first.",
    )
    target_field: str = Field(
        "document_id",
        min_length=1,
        validation_alias=AliasChoices("target_field", "lookup_field"),
        description="Path of the key in that collection's documents.",
    )
    source_field: str = Field("source_object_id", min_length=1, description="Path of the key in the pipeline's own.")
    output_field: str = Field(
        "enriched_data",
        min_length=1,
        validation_alias=AliasChoices("output_field", "result_field"),
        description="Path to put what was found at; null where nothing was.",
    )
    fields_to_merge: list[str] | None = Field(
        None,
        min_length=1,
        validation_alias=AliasChoices("fields_to_merge", "select_fields"),
        description="Only these fields of what was found; null means all.",
    )
    strategy: Literal["enrich", "append"] = Field(
        "enrich",
        description="enrich: put it at output_field. append: add it to the list at output_field.",
    )
    multiple: bool = Field(False, description="Every match, as a list by id or rank, instead of the first.")
    limit: int = Field(10, ge=1, le=1000, description="With `multiple`: how many for each document.")
    allow_missing: bool = Field(True, description="false leaves out a document without a match.")
    when: dict[str, Any] | None = Field(None, description="Filter: only documents that match are joined.")
    retriever_id: str | None = Field(
        None, min_length=1, description="Instead of a join: a saved retriever, by id or name, run for each document."
    )
    retriever_inputs: dict[str, Any] | None = Field(
        None, description="Its inputs; their templates see the document: {'query': '{{DOC.title}}'}."
    )
    retriever_config: dict[str, Any] | None = Field(
        None, description="Refused: save the retriever and name it by retriever_id."
    )
    cache_behavior: Literal["auto", "disabled", "aggressive"] | None = Field(
        None, description="Whether the outcome is kept, where all that is read belongs to the pipeline's collections."
    )
    cache_ttl_seconds: int | None = Field(None, ge=0, description="For how long.")

    @field_validator("when")
    @classmethod
    def _filter(cls, raw: Any) -> Any:
        return checked_filter(raw)

    @field_validator("retriever_config")
    @classmethod
    def _is_saved(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            raise ValueError("a pipeline inside a stage is not run: save it as a retriever and give its retriever_id")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "DocumentEnrichParameters":
        if self.retriever_id is None and self.retriever_inputs is not None:
            raise ValueError("retriever_inputs go with retriever_id")
        if self.retriever_id is None:
            return self
        # Generated clients send a join's defaults along: only what says another thing is meant.
        defaults = {"target_field": "document_id", "source_field": "source_object_id"}
        beside = [name for name in _OF_A_JOIN if getattr(self, name) not in (None, defaults.get(name))]
        if beside:
            raise ValueError(f"give either retriever_id or {beside[0]}: a document is joined or retrieved for")
        return self


class DocumentEnrich:
    """A left join: one read for so many keys, whatever the number of documents. Or one retrieval a document."""

    id: ClassVar[str] = "document_enrich"
    kind: ClassVar[StageKind] = StageKind.ENRICH
    icon: ClassVar[str] = "link"
    description: ClassVar[str] = (
        "Join documents of another collection by a key: the first match by id, or all of them. Keys are equal as JSON, "
        "text in its case; a list of keys matches any of them. A document without a match keeps its place, unless "
        f"allow_missing is false. At most {MAX_JOINED} documents are read for each {KEYS_AT_ONCE} keys. "
        "With retriever_id a saved retriever finds what is put on each document."
    )
    Parameters: ClassVar[type[BaseModel]] = DocumentEnrichParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {
        "target_collection_id": "products",
        "target_field": "document_id",
        "source_field": "document_id",
        "output_field": "product",
        "fields_to_merge": ["brand", "price"],
    }

    @classmethod
    def effects_with(cls, parameters: Mapping[str, Any]) -> frozenset[Effect]:
        """A retriever's stages may do whatever stages do."""
        runs = parameters.get("retriever_id") is not None
        return frozenset({Effect.OUTSIDE, Effect.SPENDS}) if runs else cls.effects

    def __init__(self, parameters: DocumentEnrichParameters) -> None:
        self._parameters = parameters
        self._when = parse_filter(parameters.when)
        self._most = parameters.limit if parameters.multiple else 1
        self._names = [canonical_path(name) for name in parameters.fields_to_merge or ()]
        self._looked_at = frozenset[str]().union(*map(_looked_at, self._names))

    async def run(self, hits: Hits, context: Context) -> Outcome:
        meant = await sifting.meant(hits, self._when)
        if not meant:
            return Outcome(hits)
        if self._parameters.retriever_id is not None:
            return await self._retrieved(hits, meant, context)
        return await self._joined(hits, meant, context)

    async def _joined(self, hits: Hits, meant: Sequence[Hit], context: Context) -> Outcome:
        given = self._parameters
        named = given.target_collection_id
        if named is None and not context.collections:
            return Outcome(hits)
        identifier = context.collections[0].collection_id if named is None else named
        (target,) = await context.searcher.collections(context.principal, [identifier], context.collections)
        source = canonical_path(given.source_field)
        keys = {hit.id: _keys(hit.part(_looked_at(source)), source) for hit in meant}
        wanted = {key: value for one in keys.values() for key, value in one.items()}
        found, is_cut = await self._read(context, target, wanted)
        matched = {
            hit_id: [self._shown_document(one) for one in _of(found, own)[: self._most]] for hit_id, own in keys.items()
        }
        reason = f"no document of {target.name!r} has its {given.source_field!r}"
        warnings = (f"more than {MAX_JOINED} documents of {target.name!r} have these keys; the rest was left out",)
        return self._outcome(hits, matched, dict.fromkeys(matched, reason), warnings if is_cut else ())

    async def _read(
        self, context: Context, target: Collection, wanted: Mapping[bytes, JSON]
    ) -> tuple[Mapping[bytes, list[Document]], bool]:
        """The target's documents by key, each list by id; and whether there were more than are read."""
        path = canonical_path(self._parameters.target_field)
        keys = list(wanted.values())
        found: dict[bytes, list[Document]] = {}
        is_cut = False
        for first in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[first : first + KEYS_AT_ONCE]
            if path == "document_id":
                known = await context.searcher.hydrate(context.principal, [key for key in some if isinstance(key, str)])
                mine = (one for one in known.values() if one.collection_id == target.collection_id)
                found.update((identity(one.document_id), [one]) for one in mine)
                continue
            condition = Condition(path, Operator.IN, some, case_sensitive=True)
            documents, more = await context.searcher.list_documents(context.principal, [target], condition, MAX_JOINED)
            is_cut = is_cut or more
            for document in documents:
                for key in _keys(document.part(_looked_at(path)), path):
                    if key in wanted:
                        found.setdefault(key, []).append(document)
        return found, is_cut

    async def _retrieved(self, hits: Hits, meant: Sequence[Hit], context: Context) -> Outcome:
        """One run for all documents whose inputs are the same."""
        inputs = {hit.id: self._inputs(hit, context) for hit in meant}
        distinct = {sorted_json(one): one for one in inputs.values() if not isinstance(one, TamisError)}
        # What a run costs is known once it has ended: within a budget each sees what the one before it left.
        charged = getattr(context.allowance, "behind", context.allowance)
        turns = asyncio.Semaphore(RETRIEVERS_AT_ONCE if math.isinf(charged.left) else 1)

        async def one(asked: dict[str, JSON]) -> Answer:
            run = Retrieve(self._parameters.retriever_id or "", asked, self._most)
            async with turns:
                try:
                    return await context.reach.retrievers.retrieve(context.principal, run, context.allowance)
                except TamisError as error:
                    return error

        answers = dict(zip(distinct, await asyncio.gather(*map(one, distinct.values())), strict=True))
        by_hit: dict[str, Answer] = {
            hit_id: asked if isinstance(asked, TamisError) else answers[sorted_json(asked)]
            for hit_id, asked in inputs.items()
        }
        _raise_what_is_wrong_for_all(by_hit.values())
        matched = {hit_id: [*map(self._shown, _documents(answer))] for hit_id, answer in by_hit.items()}
        reasons = {
            hit_id: answer.message if isinstance(answer, TamisError) else "the retriever found nothing for it"
            for hit_id, answer in by_hit.items()
        }
        outcome = self._outcome(hits, matched, reasons, _warnings(by_hit.values()))
        runs = [answer for answer in answers.values() if isinstance(answer, Retrieved)]
        return replace(outcome, tokens_used=sum(run.tokens for run in runs), llm_calls=sum(run.calls for run in runs))

    def _inputs(self, hit: Hit, context: Context) -> dict[str, JSON] | TamisError:
        try:
            filled: dict[str, JSON] = context.render(self._parameters.retriever_inputs or {}, hit)
        except ValidationError as error:
            return error
        return filled

    def _outcome(
        self, hits: Hits, matched: Mapping[str, Sequence[JSON]], reasons: Mapping[str, str], warnings: tuple[str, ...]
    ) -> Outcome:
        """matched: by hit, what was found; a hit that is not in it passes.  reasons: why a hit is left out."""
        rows: list[Hit] = []
        dropped: dict[str, JSON] = {}
        for hit in hits:
            found = matched.get(hit.id)
            if found is None:
                rows.append(hit)
            elif found or self._parameters.allow_missing:
                rows.append(self._with(hit, found))
            else:
                dropped[hit.id] = reasons[hit.id]
        return Outcome(Hits.of(rows), metadata={DROPPED: dropped} if dropped else {}, warnings=warnings)

    def _with(self, hit: Hit, found: Sequence[JSON]) -> Hit:
        given = self._parameters
        if given.strategy == "append":
            held = value_at(hit.view(), given.output_field)
            before = held if isinstance(held, list) else ([] if held is None else [held])
            return with_field(hit, given.output_field, [*before, *found])
        value: JSON = [*found] if given.multiple else (found[0] if found else None)
        return with_field(hit, given.output_field, value)

    def _shown_document(self, document: Document) -> JSON:
        if self._names:
            return self._shown(document.part(self._looked_at))
        return {**document.fields, "document_id": document.document_id, "collection_id": document.collection_id}

    def _shown(self, view: Mapping[str, JSON]) -> JSON:
        return {name: value_at(view, name) for name in self._names} if self._names else dict(view)


def _looked_at(path: str) -> frozenset[str]:
    """The names of a view that a path can lead through."""
    return frozenset({path, path.partition(".")[0]})


def _keys(view: Mapping[str, JSON], path: str) -> dict[bytes, JSON]:
    """The values at a path, in a list each by itself; null is no key."""
    return {identity(value): value for value in elements(resolve(view, path)) if value is not None}


def _of(found: Mapping[bytes, list[Document]], keys: Iterable[bytes]) -> Sequence[Document]:
    """The documents of these keys, each once, by id."""
    by_id = {document.document_id: document for key in keys for document in found.get(key, ())}
    return [by_id[document_id] for document_id in sorted(by_id)] if len(by_id) > 1 else list(by_id.values())


def _documents(answer: Answer) -> Sequence[dict[str, JSON]]:
    return answer.documents if isinstance(answer, Retrieved) else ()


def _raise_what_is_wrong_for_all(answers: Iterable[Answer]) -> None:
    """What fails for every document, and is the caller's to mend, is no matter of documents."""
    errors = []
    for answer in answers:
        if not isinstance(answer, TamisError) or answer.status >= 500 or isinstance(answer, AllowanceSpentError):
            return
        errors.append(answer)
    raise errors[0]


def _warnings(answers: Iterable[Answer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_said(answers)))[:_MOST_WARNINGS]


def _said(answers: Iterable[Answer]) -> Iterator[str]:
    for answer in answers:
        if isinstance(answer, Retrieved):
            yield from answer.warnings
        else:
            yield f"a retrieval failed, and its documents were left without: {answer.message}"
