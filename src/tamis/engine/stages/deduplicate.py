"""One hit of those that say the same."""

import asyncio
import math
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from tamis.engine.groups.grouping import identity, value_at
from tamis.engine.matching.similarity import Alikes, Shingles, shingles
from tamis.engine.parameters import StageParameters
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.edits import Edit
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON


class DeduplicateParameters(StageParameters):
    strategy: Literal["field", "content"] = Field(
        "field", description="field: equal values in all `fields`. content: texts that are nearly the same."
    )
    fields: list[str] = Field(
        default_factory=list,
        validation_alias=AliasChoices("fields", "field"),
        description="Paths whose values together tell duplicates; required for `field`. A missing value is a value.",
    )
    content_field: str = Field("content", min_length=1, description="The text that `content` compares.")
    similarity_threshold: float = Field(
        0.95, ge=0.0, le=1.0, description="content: from which similarity (Jaccard, three-character shingles) on."
    )
    keep: Literal["first", "last"] = Field("first", description="Which of the duplicates stays.")
    case_sensitive: bool = Field(True, description="Whether text that differs in case only differs.")

    @field_validator("fields", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fields_for_field(self) -> "DeduplicateParameters":
        if self.strategy == "field" and not self.fields:
            raise ValueError("strategy 'field' needs fields, such as ['metadata.source_url']")
        return self


class Deduplicate:
    """Keep one of each set of duplicates, where it stood."""

    id: ClassVar[str] = "deduplicate"
    kind: ClassVar[StageKind] = StageKind.REDUCE
    icon: ClassVar[str] = "copy-minus"
    description: ClassVar[str] = (
        "Drop hits that repeat another: equal in one or several fields, or nearly the same text by the Jaccard "
        "similarity of three-character shingles. The others keep their order."
    )
    Parameters: ClassVar[type[BaseModel]] = DeduplicateParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {"fields": ["metadata.brand"]}

    def __init__(self, parameters: DeduplicateParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        forwards = self._parameters.keep == "first"
        run = list(hits) if forwards else list(reversed(hits))
        kept = list(self._by_field(run)) if self._parameters.strategy == "field" else await self._by_content(run)
        return Outcome(Hits.of(kept if forwards else reversed(kept)))

    def _by_field(self, hits: Iterable[Hit]) -> Iterable[Hit]:
        seen: set[bytes] = set()
        for hit in hits:
            key = self._key(hit)
            if key not in seen:
                seen.add(key)
                yield hit

    def _folded(self, value: JSON) -> JSON:
        if isinstance(value, str) and not self._parameters.case_sensitive:
            return value.casefold()
        if isinstance(value, list):
            return [self._folded(item) for item in value]
        return value

    async def _by_content(self, hits: Iterable[Hit]) -> list[Hit]:
        """Others get their turn between two hits, and the budget its say."""
        texts: list[tuple[Hit, Shingles | None]] = []
        for hit in hits:
            await asyncio.sleep(0)
            texts.append((hit, self._shingles(hit)))
        seen = Alikes((text for _, text in texts if text), self._parameters.similarity_threshold)
        kept = []
        for hit, text in texts:
            await asyncio.sleep(0)
            if text is None or seen.add_unless_alike(text):
                kept.append(hit)
        return kept

    async def explain(self, case: Case, context: Context) -> Verdict:
        given, hit = self._parameters, case.hit
        if hit is None:
            return Verdict(VerdictKind.CHANGED, "it was not among what came in")
        return self._same_fields(case, hit) if given.strategy == "field" else self._alike(case, hit)

    def _same_fields(self, case: Case, hit: Hit) -> Verdict:
        key = self._key(hit)
        twins = [one for one in case.received if self._key(one) == key]
        kept = {one.id for one in case.returned}
        twin = next((one for one in twins if one.id in kept), None)
        if twin is None:
            return Verdict(VerdictKind.CHANGED, "nothing equals it now: documents have changed since this ran")
        fields = ", ".join(self._parameters.fields)
        facts: dict[str, JSON] = {
            "duplicate_of": twin.id, "fields": {path: value_at(hit.view(), path) for path in self._parameters.fields},
        }  # fmt: skip
        return Verdict(VerdictKind.DUPLICATE, f"it equals {twin.id} in {fields}", facts, self._kept(case, twins, hit))

    def _kept(self, case: Case, twins: list[Hit], hit: Hit) -> tuple[Edit, ...]:
        """The other end kept, where that is this document; else no deduplication."""
        first = self._parameters.keep == "first"
        other = twins[-1] if first else twins[0]
        if other.id == hit.id:
            return case.setting("keep", before=self._parameters.keep, to="last" if first else "first")
        return case.without_stage()

    def _alike(self, case: Case, hit: Hit) -> Verdict:
        own, kept = self._shingles(hit), {one.id for one in case.returned}
        if own is None:
            return Verdict(VerdictKind.CHANGED, "it has no text now: it has changed since this ran")
        others = [(one.id, text) for one in case.received if one.id != hit.id and (text := self._shingles(one))]
        alike = sorted((-own.similarity(text), key) for key, text in others if key in kept)
        if not alike or -alike[0][0] < self._parameters.similarity_threshold:
            return Verdict(VerdictKind.CHANGED, "nothing is so like it now: documents have changed since this ran")
        similarity, twin = -alike[0][0], alike[0][1]
        least = math.ceil(max(own.similarity(text) for _, text in others) * 10_000 + 1e-6) / 10_000
        threshold = self._parameters.similarity_threshold
        edits = case.setting("similarity_threshold", before=threshold, to=least) if least <= 1 else case.without_stage()
        reason = f"its text is like that of {twin}: similarity {similarity:.4f}, and {threshold:g} counts as the same"
        facts: dict[str, JSON] = {"duplicate_of": twin, "similarity": similarity, "similarity_threshold": threshold}
        return Verdict(VerdictKind.DUPLICATE, reason, facts, edits)

    def _key(self, hit: Hit) -> bytes:
        view = hit.view()
        return identity([self._folded(value_at(view, path)) for path in self._parameters.fields])

    def _shingles(self, hit: Hit) -> Shingles | None:
        text = self._folded(value_at(hit.view(), self._parameters.content_field))
        # A hit without the text cannot repeat one.
        return shingles(text) if isinstance(text, str) and text.strip() else None
