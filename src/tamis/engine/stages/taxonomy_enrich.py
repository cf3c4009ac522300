"""Where in a taxonomy each hit belongs."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import AliasChoices, BaseModel, Field, ValidationError, field_validator, model_validator

from tamis.engine.groups.grouping import value_at
from tamis.engine.matching.taxonomy_matching import Matcher, Matching
from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters, checked_filter
from tamis.engine.running import sifting
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.taxonomies.taxonomy import Copied, Near, Node, Rule, Taxonomy, inherited, labels_of
from tamis.engine.taxonomies.taxonomy_definition import EnrichmentField, StoredDefinition, TaxonomyDefinition
from tamis.errors import ValidationError as Refused
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

NOT_NEAR = "no node is at least"
"""How the message begins of a document that was compared, and is near to nothing."""
_CHARACTERS = 20_000
_MOST_WARNINGS = 5


class TaxonomyEnrichParameters(StageParameters):
    taxonomy_id: str | None = Field(None, min_length=1, description="A stored taxonomy, by id or name.")
    taxonomy: TaxonomyDefinition | None = Field(
        None,
        validation_alias=AliasChoices("taxonomy", "taxonomy_config"),
        description="The taxonomy itself: its nodes, each with a vector, texts, a collection or a retriever.",
    )
    feature_uri: str | None = Field(
        None, description="Which stored vector is compared, by URI or output name; null is the only dense one."
    )
    content_field: str | None = Field(
        None, min_length=1, description="Compare this field's text, embedded now, in place of the stored vector."
    )
    result_field: str = Field(
        "taxonomy",
        min_length=1,
        validation_alias=AliasChoices("result_field", "output_field"),
        description="Path to put the labels at.",
    )
    top_k: int = Field(3, ge=1, le=50, description="Labels a document, and nodes that it goes on from at each level.")
    min_score: float = Field(
        0.0, ge=0, le=1, validation_alias=AliasChoices("min_score", "min_confidence"),
        description="Of every node on the way.",
    )  # fmt: skip
    max_depth: int | None = Field(None, ge=1, description="Levels; null is all.")
    include_ancestors: bool = Field(True, description="Each label's ancestors and path.")
    fields: list[EnrichmentField] | None = Field(
        None, description="Properties of the best label that the document itself gets; null: its enrichment_fields."
    )
    when: dict[str, Any] | None = Field(None, description="Filter: only documents that match are labelled.")

    @field_validator("when")
    @classmethod
    def _filter(cls, raw: Any) -> Any:
        return checked_filter(raw)

    @model_validator(mode="after")
    def _one_taxonomy(self) -> "TaxonomyEnrichParameters":
        if (self.taxonomy is None) == (self.taxonomy_id is None):
            raise ValueError("give either `taxonomy`, with its nodes, or the taxonomy_id of a stored one")
        return self


def with_stored(parameters: TaxonomyEnrichParameters, definition: StoredDefinition) -> TaxonomyEnrichParameters:
    """With this taxonomy, applied as it says where the parameters say nothing."""
    said = parameters.model_fields_set
    defaults = {name: value for name, value in definition.defaults().items() if name not in said}
    return parameters.model_copy(update={**defaults, "taxonomy": definition, "taxonomy_id": None})


class TaxonomyEnrich:
    id: ClassVar[str] = "taxonomy_enrich"
    kind: ClassVar[StageKind] = StageKind.ENRICH
    icon: ClassVar[str] = "tags"
    description: ClassVar[str] = (
        "Label each document by a taxonomy, level by level: it goes on below the nodes that it is near enough to, and "
        "gets their properties. A node is matched by vectors, texts, the nearest document of a collection, or a saved "
        "retriever. A document without a label keeps its place."
    )
    Parameters: ClassVar[type[BaseModel]] = TaxonomyEnrichParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {
        "feature_uri": "embedding",
        "top_k": 1,
        "min_score": 0.5,
        "taxonomy": {
            "nodes": [
                {"id": "goods", "label": "Goods", "properties": {"department": "all"}},
                {"id": "goods.sport", "label": "Sport", "parent": "goods", "vector": [1, 0, 0]},
                {"id": "goods.kitchen", "label": "Kitchen", "parent": "goods", "vector": [0, 1, 0]},
            ]
        },
    }

    @classmethod
    def effects_with(cls, parameters: Mapping[str, Any]) -> frozenset[Effect]:
        """A retriever's stages may do whatever stages do; whether a stored taxonomy has one is not known here."""
        runs = parameters.get("taxonomy_id") is not None or _names_a_retriever(parameters)
        return frozenset({Effect.OUTSIDE, Effect.SPENDS}) if runs else cls.effects

    def __init__(self, parameters: TaxonomyEnrichParameters) -> None:
        self._parameters = parameters
        self._when = parse_filter(parameters.when)
        self._rule = Rule(parameters.top_k, parameters.min_score, parameters.max_depth)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        if given.taxonomy is None:
            return await TaxonomyEnrich(await self._stored(given.taxonomy_id or "", context)).run(hits, context)
        meant = await sifting.meant(hits, self._when)
        if not meant:
            return Outcome(hits)
        taxonomy = given.taxonomy.taxonomy()
        path = given.content_field
        texts = None if path is None else [_text(hit, path) for hit in meant]
        if texts is not None and not any(texts):
            raise Refused.at(["parameters", "content_field"], f"no document that came in has text at {path!r}")
        found = await Matcher(context, taxonomy, self._rule, given.feature_uri, texts).match(meant)
        fields = await self._fields(taxonomy, found, context)
        ways = {hit.id: way for hit, way in zip(meant, found.ways, strict=True)}
        labels = {hit_id: self._labels(taxonomy, way, fields) for hit_id, way in ways.items()}
        labelled = sum(map(bool, labels.values()))
        rows = [self._with(hit, labels[hit.id], found.reasons.get(hit.id)) if hit.id in labels else hit for hit in hits]
        return Outcome(
            Hits.of(rows), tokens_used=found.tokens, llm_calls=found.calls, warnings=_warnings(found, len(meant)),
            metadata={"labelled": labelled, "unlabelled": len(labels) - labelled},
        )  # fmt: skip

    async def _stored(self, taxonomy_id: str, context: Context) -> TaxonomyEnrichParameters:
        """What the stage says stands over what the taxonomy says of how it is applied."""
        stored = await context.reach.taxonomies.definition(context.principal, taxonomy_id)
        try:
            definition = StoredDefinition.model_validate(stored)
        except ValidationError as error:
            raise Refused.at(["parameters", "taxonomy_id"], str(error.errors()[0]["msg"])) from error
        return with_stored(self._parameters, definition)

    async def _fields(self, taxonomy: Taxonomy, found: Matching, context: Context) -> Mapping[str, Mapping[str, JSON]]:
        """Of the documents that nodes were matched by; read only where something is copied from them."""
        wanted = {node.id for node in taxonomy.nodes if node.copied or node.spread}
        ids = {one for way in found.ways for node, near in way.items() if node in wanted for one, _ in near.references}
        unread = sorted(ids - found.fields.keys())
        read = await context.searcher.hydrate(context.principal, unread) if unread else {}
        return {**found.fields, **{one: document.view() for one, document in read.items()}}

    def _labels(
        self, taxonomy: Taxonomy, way: Mapping[str, Near], fields: Mapping[str, Mapping[str, JSON]]
    ) -> list["_Label"]:
        made = []
        for node in labels_of(taxonomy, way, self._rule):
            line, near = taxonomy.line(node), way[node.id]
            for reference in near.references if node.spread else near.references[:1] or (None,):
                own = {one.id: fields.get(ref, {}) for one in line[:-1] if (ref := _reference(way.get(one.id)))}
                if reference is not None:
                    own[node.id] = fields.get(reference[0], {})
                made.append(_Label(taxonomy, line, way, reference, inherited(line, own), own.get(node.id, {})))
        return made[: self._rule.top_k]

    def _with(self, hit: Hit, labels: Sequence["_Label"], reason: str | None) -> Hit:
        given = self._parameters
        shown = [label.shown(given.include_ancestors) for label in labels]
        value: dict[str, JSON] = {"primary": shown[0] if shown else None, "all": [*shown]}
        if shown and given.include_ancestors:
            value |= {"ancestors": shown[0]["ancestors"], "path": shown[0]["path"]}
        if not shown:
            value["message"] = reason or f"{NOT_NEAR} {given.min_score:g} near"
        labelled = with_field(hit, given.result_field, value)
        for one in self._copied(labels[0]) if labels else ():
            found = labels[0].properties.get(one.path, value_at(labels[0].properties, one.path))
            if found is not None:
                labelled = _copied_onto(labelled, one, found)
        return labelled

    def _copied(self, label: "_Label") -> list[Copied]:
        if self._parameters.fields is not None:
            return [one.copied() for one in self._parameters.fields]
        return [Copied(one.target, one.target, one.appends) for node in label.line for one in node.copied]


class _Label:
    def __init__(
        self, taxonomy: Taxonomy, line: Sequence[Node], way: Mapping[str, Near], reference: tuple[str, float] | None,
        properties: dict[str, JSON], document: Mapping[str, JSON],
    ) -> None:  # fmt: skip
        self.line = line
        self.properties = properties
        self._taxonomy = taxonomy
        self._way = way
        self._reference = reference
        self._document = document

    def shown(self, with_ancestors: bool) -> dict[str, JSON]:
        node, reference = self.line[-1], self._reference
        one: dict[str, JSON] = {
            "id": node.id, "name": node.label, "confidence": self._way[node.id].score,
            "level": self._taxonomy.levels[node.id],
        }  # fmt: skip
        if reference is not None:
            one["document_id"] = reference[0]
        if node.spread and reference is not None:
            named = next(
                (name for key in ("label", "name", "title") if (name := self._document.get(key))), reference[0]
            )
            one |= {"id": reference[0], "name": named, "confidence": reference[1]}
        if self.properties:
            one["properties"] = dict(self.properties)
        if with_ancestors:
            one["ancestors"] = [self._ancestor(above) for above in reversed(self.line[:-1])]
            one["path"] = " > ".join([*(above.label for above in self.line[:-1]), str(one["name"])])
        return one

    def _ancestor(self, node: Node) -> dict[str, JSON]:
        level, near = self._taxonomy.levels[node.id], self._way.get(node.id)
        return {"id": node.id, "name": node.label, "level": level, "confidence": near.score if near else None}


def _text(hit: Hit, path: str) -> str | None:
    value = value_at(hit.view(), path)
    if isinstance(value, list):
        value = "\n".join(one for one in value if isinstance(one, str))
    return value[:_CHARACTERS] if isinstance(value, str) and value.strip() else None


def _reference(near: Near | None) -> str | None:
    return near.references[0][0] if near is not None and near.references else None


def _copied_onto(hit: Hit, one: Copied, value: JSON) -> Hit:
    if not one.appends:
        return with_field(hit, one.target, value)
    held = value_at(hit.view(), one.target)
    before = held if isinstance(held, list) else ([] if held is None else [held])
    more = [each for each in (value if isinstance(value, list) else [value]) if each not in before]
    return with_field(hit, one.target, [*before, *more])


def _names_a_retriever(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value.get("retriever_id")) or any(map(_names_a_retriever, value.values()))
    return isinstance(value, list) and any(map(_names_a_retriever, value))


def _warnings(found: Matching, count: int) -> tuple[str, ...]:
    reasons = [reason for reason in found.reasons.values() if " " not in reason]
    told = [f"{reasons.count(one)} of {count} hits could not be compared ({one})" for one in sorted(set(reasons))]
    return (*told, *found.errors)[:_MOST_WARNINGS]
