"""Documents of another collection, joined by a key."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator

from tamis.engine.grouping import identity, value_at
from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters, checked_filter
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdict import DROPPED
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Condition, Operator, canonical_path, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.matching import elements, matches, resolve

KEYS_AT_ONCE = 200
MAX_JOINED = 10_000


class DocumentEnrichParameters(StageParameters):
    target_collection_id: str = Field(
        min_length=1,
        validation_alias=AliasChoices("target_collection_id", "collection_id"),
        description="The collection to join from, by id or name.",
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
    multiple: bool = Field(False, description="Every match, as a list by id, instead of the first.")
    limit: int = Field(10, ge=1, le=1000, description="With `multiple`: how many for each document.")
    allow_missing: bool = Field(True, description="false leaves out a document without a match.")
    when: dict[str, Any] | None = Field(None, description="Filter: only documents that match are joined.")

    @field_validator("when")
    @classmethod
    def _filter(cls, raw: Any) -> Any:
        return checked_filter(raw)


class DocumentEnrich:
    """A left join. One read for so many keys, whatever the number of documents."""

    id: ClassVar[str] = "document_enrich"
    kind: ClassVar[StageKind] = StageKind.ENRICH
    icon: ClassVar[str] = "link"
    description: ClassVar[str] = (
        "Join documents of another collection by a key: the first match by id, or all of them. Keys are equal as JSON, "
        "text in its case; a list of keys matches any of them. A document without a match keeps its place, unless "
        f"allow_missing is false. At most {MAX_JOINED} documents are read for each {KEYS_AT_ONCE} keys."
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

    def __init__(self, parameters: DocumentEnrichParameters) -> None:
        self._parameters = parameters
        self._when = parse_filter(parameters.when)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        keys = {hit.id: _keys(hit.view(), given.source_field) for hit in hits if self._is_meant(hit)}
        if not keys:
            return Outcome(hits)
        (target,) = await context.searcher.collections(
            context.principal, [given.target_collection_id], context.collections
        )
        wanted = {key: value for one in keys.values() for key, value in one.items()}
        found, is_cut = await self._read(context, target, list(wanted.values()))
        rows: list[Hit] = []
        dropped: dict[str, JSON] = {}
        for hit in hits:
            if hit.id not in keys:
                rows.append(hit)
                continue
            matched = _distinct(document for key in keys[hit.id] for document in found.get(key, ()))
            if matched or given.allow_missing:
                rows.append(self._joined(hit, matched))
            else:
                dropped[hit.id] = f"no document of {target.name!r} has its {given.source_field!r}"
        warnings = (f"more than {MAX_JOINED} documents of {target.name!r} have these keys; the rest was left out",)
        return Outcome(
            Hits.of(rows), metadata={DROPPED: dropped} if dropped else {}, warnings=warnings if is_cut else ()
        )

    def _is_meant(self, hit: Hit) -> bool:
        return self._when is None or matches(self._when, hit.view())

    async def _read(
        self, context: Context, target: Collection, keys: Sequence[JSON]
    ) -> tuple[Mapping[bytes, list[Document]], bool]:
        """The target's documents by key, each list by id; and whether there were more than are read."""
        path = canonical_path(self._parameters.target_field)
        found: dict[bytes, list[Document]] = {}
        is_cut = False
        for first in range(0, len(keys), KEYS_AT_ONCE):
            documents, more = await self._some(context, target, path, keys[first : first + KEYS_AT_ONCE])
            is_cut = is_cut or more
            for document in documents:
                for key in _keys(document.view(), path):
                    found.setdefault(key, []).append(document)
        return found, is_cut

    async def _some(
        self, context: Context, target: Collection, path: str, keys: Sequence[JSON]
    ) -> tuple[Sequence[Document], bool]:
        if path == "document_id":
            known = await context.searcher.hydrate(context.principal, [key for key in keys if isinstance(key, str)])
            mine = [one for one in known.values() if one.collection_id == target.collection_id]
            return sorted(mine, key=lambda one: one.document_id), False
        wanted = Condition(path, Operator.IN, list(keys), case_sensitive=True)
        return await context.searcher.list_documents(context.principal, [target], wanted, MAX_JOINED)

    def _joined(self, hit: Hit, matched: Sequence[Document]) -> Hit:
        given = self._parameters
        shown: list[JSON] = [self._shown(document) for document in matched[: given.limit if given.multiple else 1]]
        value: JSON = shown if given.multiple else (shown[0] if shown else None)
        if given.strategy == "append":
            held = value_at(hit.view(), given.output_field)
            before = held if isinstance(held, list) else ([] if held is None else [held])
            return with_field(hit, given.output_field, [*before, *shown])
        return with_field(hit, given.output_field, value)

    def _shown(self, document: Document) -> dict[str, JSON]:
        names = self._parameters.fields_to_merge
        if names is None:
            return {**document.fields, "document_id": document.document_id, "collection_id": document.collection_id}
        view = document.view()
        return {canonical_path(name): value_at(view, name) for name in names}


def _keys(view: Mapping[str, JSON], path: str) -> dict[bytes, JSON]:
    """The values at a path, in a list each by itself; null is no key."""
    values = elements(resolve(view, canonical_path(path)))
    return {identity(value): value for value in values if value is not None}


def _distinct(documents: Iterator[Document]) -> list[Document]:
    by_id = {document.document_id: document for document in documents}
    return [by_id[document_id] for document_id in sorted(by_id)]
