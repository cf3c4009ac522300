"""Compare documents with those of a reference collection: exactly, nearly, by meaning, by looks."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from tamis.engine.groups.grouping import value_at
from tamis.engine.matching.comparison import NO_MATCH, Extraction, Labelling, confidence, signals
from tamis.engine.matching.reference_matching import Element, Matching, Settings, Tier, match_all
from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Given, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

MAX_SOURCES = 50
MAX_ELEMENTS = 200
_URL_FIELDS = ("reference_url", "source_url", "url")


class Classification(StageParameters):
    min_score: float = Field(ge=0.0, le=1.0, description="The least score that is called so.")
    label: str = Field(min_length=1, description="What it is called.")


_CLASSIFICATIONS = [
    Classification(min_score=0.95, label="exact_match"),
    Classification(min_score=0.85, label="close_match"),
    Classification(min_score=0.65, label="partial_match"),
    Classification(min_score=0.0, label="no_match"),
]


class CrossCompareParameters(StageParameters):
    reference_collection_id: str = Field(min_length=1, description="The collection to compare with, by id or name.")
    source_field: str = Field("content", min_length=1, description="Path of what is compared, in the documents.")
    reference_field: str = Field("content", min_length=1, description="Path of what it is compared with.")
    extraction_mode: Extraction = Field(
        Extraction.RAW,
        description="raw: a field is one element. lines: each line. labels: names of controls and features, found by "
        "pattern. list: the field is a list already. References are taken apart in the same way.",
    )
    match_tiers: list[Tier] = Field(
        default_factory=lambda: [Tier.EXACT, Tier.FUZZY],
        min_length=1,
        description="Tried in this order for each element; the first that matches ends it.",
    )
    fuzzy_threshold: float = Field(0.75, ge=0.0, le=1.0, description="Least ratio of characters in common.")
    semantic_threshold: float = Field(0.85, ge=0.0, le=1.0, description="Least similarity by meaning.")
    visual_threshold: float = Field(0.55, ge=0.0, le=1.0, description="Least similarity by looks.")
    classifications: list[Classification] = Field(
        default_factory=lambda: list(_CLASSIFICATIONS), description="What scores are called, tried in order."
    )
    no_match_label: str = Field("no_match", min_length=1, description="What an element without a match is called.")
    output_mode: Literal["findings", "enrich"] = Field(
        "findings", description="findings: a row for each element. enrich: the documents, findings on each."
    )
    output_field: str = Field("comparison_results", min_length=1, description="enrich: path of the findings.")
    include_visual_comparison: bool = Field(False, description="Try `visual` last, where the tiers do not name it.")
    text_vector_index: str | None = Field(
        None, description="Feature that `semantic` searches: URI, name or alias; the collection's only dense one."
    )
    image_vector_index: str = Field(
        "google__siglip_base_patch16_224", description="Feature of what pictures show: URI, name or alias."
    )
    structure_vector_index: str = Field(
        "facebook__dinov2_base", description="Feature of how pictures are built: URI, name or alias."
    )
    dinov2_weight: float = Field(0.7, ge=0.0, allow_inf_nan=False, description="Part of structure in looks.")
    siglip_weight: float = Field(0.3, ge=0.0, allow_inf_nan=False, description="Part of the image feature in looks.")
    reference_limit: int = Field(200, ge=1, le=10_000, description="Reference documents to read, by id.")
    reference_doc_type: str | None = Field(None, description="Only references with this `doc_type`.")
    source_location_field: str = Field("start_time", description="Path of where in the source a document stands.")
    source_doc_type_filter: str | None = Field(None, description="Only documents with this `doc_type`.")
    filter_generic_labels: bool = Field(True, description="labels: leave out Save, Cancel, Next and the like.")

    @field_validator("match_tiers")
    @classmethod
    def _each_once(cls, value: list[Tier]) -> list[Tier]:
        if len(set(value)) != len(value):
            raise ValueError("each tier is tried once")
        return value

    @model_validator(mode="after")
    def _some_weight(self) -> "CrossCompareParameters":
        if self.dinov2_weight + self.siglip_weight == 0:
            raise ValueError("give dinov2_weight or siglip_weight more than 0")
        return self

    def settings(self) -> Settings:
        tiers = list(self.match_tiers)
        if self.include_visual_comparison and Tier.VISUAL not in tiers:
            tiers.append(Tier.VISUAL)
        return Settings(
            tiers=tuple(tiers),
            field=self.reference_field,
            extraction=self.extraction_mode,
            without_generic=self.filter_generic_labels,
            doc_type=self.reference_doc_type,
            limit=self.reference_limit,
            thresholds={
                Tier.FUZZY: self.fuzzy_threshold,
                Tier.SEMANTIC: self.semantic_threshold,
                Tier.VISUAL: self.visual_threshold,
            },
            text_feature=self.text_vector_index,
            image_features=(
                (self.structure_vector_index, self.dinov2_weight),
                (self.image_vector_index, self.siglip_weight),
            ),
        )


def _rows(parameters: CrossCompareParameters, given: Given) -> float:
    one_each = parameters.output_mode == "enrich" or parameters.extraction_mode is Extraction.RAW
    return given.count if one_each else given.count * MAX_ELEMENTS


class CrossCompare:
    """Match each element of each document against a reference collection, tier by tier."""

    id: ClassVar[str] = "cross_compare"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "git-compare"
    description: ClassVar[str] = (
        "Compare the documents with those of a reference collection: by equal text, by nearly equal text "
        "(Ratcliff-Obershelp, first 2,000 characters), by meaning, by looks; each match is classified by its score. "
        "Gives a row for each compared element, or the documents with their findings. A document is never compared "
        "with itself; the first 50 are compared, others pass unchanged."
    )
    Parameters: ClassVar[type[BaseModel]] = CrossCompareParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(
        usage=lambda _, given: Usage(documents=min(given.count, MAX_SOURCES)), yields=_rows
    )
    example: ClassVar[dict[str, Any]] = {
        "reference_collection_id": "products",
        "source_field": "text",
        "reference_field": "text",
        "match_tiers": ["exact", "fuzzy", "semantic"],
        "semantic_threshold": 0.7,
        "output_mode": "enrich",
    }

    def __init__(self, parameters: CrossCompareParameters) -> None:
        self._parameters = parameters
        rules = tuple((one.min_score, one.label) for one in parameters.classifications)
        self._labelling = Labelling(rules, parameters.no_match_label)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        loc: list[str | int] = ["body", "stages", context.stage_index, "config", "parameters"]
        collections = await context.searcher.collections(
            context.principal, [given.reference_collection_id], context.collections
        )
        if not collections:
            raise ValidationError.at([*loc, "reference_collection_id"], "names no collection")
        found, warnings = self._elements(hits)
        matching = await match_all(found, collections[0], given.settings(), context)
        findings: dict[str, list[dict[str, JSON]]] = {}
        for position, element in enumerate(matching.elements):
            findings.setdefault(element.hit.id, []).append(self._finding(matching, position))
        compared = {hit.id for hit in hits[:MAX_SOURCES] if self._is_source(hit)}
        rows = list(self._rows_of(hits, findings, compared))
        tiers = Counter(match.tier for match in matching.matches)
        facts: dict[str, JSON] = {
            "references": len(matching.references), "elements": len(matching.elements), "tiers": {**tiers},
        }  # fmt: skip
        if given.output_mode == "findings":
            facts[DROPPED] = {key: _told(findings.get(key, [])) for key in sorted(compared)}
        return Outcome(Hits.of(rows), processed=len(compared), metadata=facts, warnings=(*warnings, *matching.warnings))

    def _is_source(self, hit: Hit) -> bool:
        wanted = self._parameters.source_doc_type_filter
        return wanted is None or value_at(hit.view(), "doc_type") == wanted

    def _elements(self, hits: Hits) -> tuple[list[Element], list[str]]:
        given, found, warnings = self._parameters, list[Element](), list[str]()
        if len(hits) > MAX_SOURCES:
            warnings.append(
                f"the first {MAX_SOURCES} of {len(hits)} documents were compared; the others pass unchanged"
            )
        for hit in hits[:MAX_SOURCES]:
            if not self._is_source(hit):
                continue
            view = hit.view()
            own = Element.of(
                hit, value_at(view, given.source_field), given.extraction_mode, given.filter_generic_labels
            )
            if len(own) > MAX_ELEMENTS:
                warnings.append(f"{hit.id}: the first {MAX_ELEMENTS} of {len(own)} elements were compared")
            found += own[:MAX_ELEMENTS]
        return found, warnings

    def _finding(self, matching: Matching, position: int) -> dict[str, JSON]:
        element, match = matching.elements[position], matching.matches[position]
        view = element.hit.view()
        finding: dict[str, JSON] = {
            "element_type": _type_of(element, match.tier),
            "source_content": element.text,
            "source_location": _location(value_at(view, self._parameters.source_location_field)),
            "reference_match": match.text,
            "reference_url": None,
            "reference_document_id": None,
            "match_tier": match.tier,
            "match_score": match.score,
            "classification": self._labelling.label(match),
            "confidence": 0.0,
            "signals": {},
        }
        if match.tier != NO_MATCH.tier and match.reference is not None:
            reference = matching.references[match.reference]
            around = matching.surroundings(position, _text_or_none(value_at(view, "transcript")))
            found = signals(match, around)
            reference_view = reference.view()
            urls = (value_at(reference_view, name) for name in _URL_FIELDS)
            finding["reference_url"] = next(
                (url for url in urls if isinstance(url, str) and url), reference.document_id
            )
            finding["reference_document_id"] = reference.document_id
            finding["confidence"] = round(confidence(match.score, found), 6)
            finding["signals"] = {**found}
        return finding

    def _rows_of(self, hits: Hits, findings: dict[str, list[dict[str, JSON]]], compared: set[str]) -> Iterator[Hit]:
        given = self._parameters
        for position, hit in enumerate(hits):
            own = findings.get(hit.id, [])
            if given.output_mode == "enrich":
                yield with_field(hit, given.output_field, [*own]) if own and hit.id in compared else hit
            elif position >= MAX_SOURCES:
                yield hit
            else:
                for number, finding in enumerate(own):
                    score = float(str(finding["match_score"]))
                    yield Hit(f"{hit.id}#{number}", score, extra={"source_document_id": hit.id, **finding})


def _type_of(element: Element, tier: str) -> str:
    if tier == Tier.VISUAL:
        return "visual"
    own = value_at(element.hit.view(), "element_type")
    if isinstance(own, str) and own:
        return own
    return "code" if len(element.text) > 2 and element.text[0] == element.text[-1] == "`" else "text"


def _location(value: JSON) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _text_or_none(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _told(findings: list[dict[str, JSON]]) -> str:
    if not findings:
        return "it has nothing to compare under source_field, or is of another doc_type"
    return f"it was compared: {len(findings)} findings stand in its place"
