"""A taxonomy as it is written: inline in a stage, and in the same words where it is stored."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from tamis.engine.parameters import StageParameters
from tamis.engine.taxonomies.taxonomy import Copied, Means, Members, Node, Retrieval, Rows, Taxonomy, Texts

_INFERRED = ("inference_strategy", "inference_collections", "cluster_ids", "llm_provider", "llm_model")


class EnrichmentField(StageParameters):
    field_path: str = Field(
        min_length=1, description="Of the node's properties, or of the document that it matched by."
    )
    target_field: str | None = Field(None, min_length=1, description="Where it goes; null is the same path.")
    merge_mode: Literal["replace", "append"] = Field(
        "replace", description="append: to the list that is there, what it lacks."
    )

    def copied(self) -> Copied:
        return Copied(self.field_path, self.target_field or self.field_path, self.merge_mode == "append")


class InputMapping(StageParameters):
    input_key: str = Field(min_length=1, description="The retriever's input.")
    source_type: Literal["payload", "literal", "vector"] = Field(
        "payload", description="A field, a value as it is, or the document itself as a query, by its stored vector."
    )
    path: str | None = Field(None, description="Path of the field in the document.")
    override: Any = Field(None, description="The value, of a literal.")

    @model_validator(mode="after")
    def _is_readable(self) -> "InputMapping":
        if self.source_type == "payload" and self.path is None and self.override is None:
            raise ValueError("a payload mapping names its field by `path`")
        return self

    def template(self) -> Any:
        if self.source_type == "vector" and self.override is None:
            return {"$vector": self.path}
        return self.override if self.path is None else {"$path": self.path}


class _Matched(StageParameters):
    retriever_id: str | None = Field(None, min_length=1, description="A saved retriever, run for each document.")
    input_mappings: list[InputMapping] | None = Field(None, description="The retriever's inputs.")

    def inputs(self) -> dict[str, Any] | None:
        return None if self.input_mappings is None else {one.input_key: one.template() for one in self.input_mappings}


class NodeDefinition(_Matched):
    id: str | None = Field(None, min_length=1, validation_alias=AliasChoices("id", "node_id"))
    label: str | None = Field(None, min_length=1, validation_alias=AliasChoices("label", "name"))
    parent: str | None = Field(
        None, validation_alias=AliasChoices("parent", "parent_id", "parent_node_id", "parent_collection_id")
    )
    properties: dict[str, Any] = Field({}, description="What its documents get; children inherit and override.")
    vector: list[float] | None = Field(None, min_length=1)
    vectors: list[list[float]] | None = Field(None, min_length=1, description="Several; the nearest counts.")
    text: str | None = Field(None, min_length=1, description="Embedded by the model of the documents' feature.")
    texts: list[str] | None = Field(None, min_length=1, description="Several; the nearest counts.")
    summary: str | None = Field(None, description="A leaf with nothing else is matched by label, summary and keywords.")
    keywords: list[str] | None = None
    collection_id: str | None = Field(None, min_length=1, description="Matched by the nearest of its documents.")
    enrichment_fields: list[EnrichmentField | str] | None = Field(None, description="Of the document it matched by.")

    @property
    def key(self) -> str:
        return self.id or self.collection_id or self.label or ""

    @field_validator("vector", "vectors")
    @classmethod
    def _is_a_direction(cls, value: Any) -> Any:
        for row in value if value and isinstance(value[0], list) else [value] if value else []:
            if not all(map(math.isfinite, row)) or not any(row):
                raise ValueError("a vector's numbers are finite, and not all of them zero")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "NodeDefinition":
        if not self.key:
            raise ValueError("a node has an id")
        ways = {
            "vector": self.vector, "vectors": self.vectors, "text": self.text, "texts": self.texts,
            "collection_id or retriever_id": self.collection_id or self.retriever_id,
        }  # fmt: skip
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            raise ValueError(f"node {self.key!r} is matched in one way, and has {' and '.join(given)}")
        return self


class SourceCollection(StageParameters):
    collection_id: str = Field(min_length=1)
    enrichment_fields: list[EnrichmentField | str] | None = None


class TaxonomyDefinition(_Matched):
    taxonomy_type: Literal["flat", "hierarchical"] | None = Field(None, description="Told by the nodes where null.")
    nodes: list[NodeDefinition] | None = Field(
        None, min_length=1, validation_alias=AliasChoices("nodes", "hierarchical_nodes", "hierarchy")
    )
    source_collection: SourceCollection | None = Field(
        None, description="Flat: each document of this collection is a label."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_written_out(cls, raw: Any) -> Any:
        inferred = [name for name in _INFERRED if isinstance(raw, dict) and raw.get(name)]
        if inferred:
            raise ValueError(f"{inferred[0]}: nodes are not inferred; write them out under `nodes`")
        return raw

    @model_validator(mode="after")
    def _is_a_tree(self) -> "TaxonomyDefinition":
        if (self.nodes is None) == (self.source_collection is None):
            raise ValueError("a taxonomy has either `nodes` or, flat, a `source_collection`")
        if self.taxonomy_type == "flat" and any(node.parent for node in self.nodes or ()):
            raise ValueError("a flat taxonomy's nodes have no parents")
        self.taxonomy()
        return self

    def taxonomy(self) -> Taxonomy:
        """Raises: ValueError."""
        if self.source_collection is not None:
            source = self.source_collection
            node = NodeDefinition(collection_id=source.collection_id, enrichment_fields=source.enrichment_fields)
            return Taxonomy.of([self._node(node, is_leaf=True, spread=True)])
        parents = {node.parent for node in self.nodes or ()}
        return Taxonomy.of([self._node(node, is_leaf=node.key not in parents) for node in self.nodes or ()])

    def _node(self, given: NodeDefinition, is_leaf: bool, spread: bool = False) -> Node:
        fields = [EnrichmentField(field_path=f) if isinstance(f, str) else f for f in given.enrichment_fields or ()]
        means = self._means(given, is_leaf)
        copied = tuple(one.copied() for one in fields)
        return Node(given.key, given.label or given.key, given.parent, means, given.properties, copied, spread)

    def _means(self, given: NodeDefinition, is_leaf: bool) -> Means | None:
        rows = given.vectors or ([given.vector] if given.vector else [])
        if rows:
            if len({len(row) for row in rows}) > 1:
                raise ValueError(f"node {given.key!r} has vectors of several lengths")
            return Rows(tuple(map(tuple, rows)))
        retriever = given.retriever_id or (self.retriever_id if given.collection_id else None)
        if retriever is not None:
            own = given.inputs()
            inputs: Mapping[str, Any] = (self.inputs() or {}) if own is None else own
            return Retrieval(retriever, inputs, given.collection_id)
        if given.collection_id is not None:
            return Members(given.collection_id)
        texts = given.texts or ([given.text] if given.text else [])
        if not texts and is_leaf:
            texts = [one for one in (given.label or given.key, given.summary, *(given.keywords or ())) if one]
        return Texts(tuple(texts)) if texts else None


class StoredDefinition(TaxonomyDefinition):
    """As it is stored: also how it is applied, for whoever says nothing else. Null leaves that to the caller."""

    feature_uri: str | None = None
    content_field: str | None = Field(None, min_length=1)
    result_field: str | None = Field(None, min_length=1)
    top_k: int | None = Field(None, ge=1, le=50)
    min_score: float | None = Field(None, ge=0, le=1)
    max_depth: int | None = Field(None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _is_of_a_stored_one(cls, raw: Any) -> Any:
        """Where its nodes came from, and what its analytics go by, is not for who applies it."""
        return {name: value for name, value in raw.items() if name not in _BESIDE} if isinstance(raw, dict) else raw

    def defaults(self) -> dict[str, Any]:
        """Those parameters of the stage that it says something of."""
        return {name: value for name in _APPLIED if (value := getattr(self, name)) is not None}


_APPLIED = ("feature_uri", "content_field", "result_field", "top_k", "min_score", "max_depth")
_BESIDE = frozenset(
    {*_INFERRED, "step_analytics", "cluster_overlap_threshold", "llm_prompt_template", "llm_sample_size"}
)
