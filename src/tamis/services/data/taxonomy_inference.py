"""Nodes of a taxonomy that nobody wrote: of collections' fields, of clusters, or of what a language model says."""

from collections.abc import Mapping, Sequence
from typing import Any

from tamis.engine.language.prompting import RULES, document_block, fenced
from tamis.engine.ports.language import LanguageModels, Message, Prompt
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.spending.allowance import Allowance
from tamis.engine.taxonomies.inference import Group, Grouping, nodes_by_overlap, parents_by_fields
from tamis.errors import ValidationError
from tamis.model.cluster import Cluster
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.json import JSON
from tamis.model.principal import Principal

_CONFIG: list[str | int] = ["body", "config"]
_THRESHOLD = 0.7
_MOST_SAMPLES = 20
_CHARACTERS = 1_000
_TASK = (
    "You arrange collections of documents into a tree of classes, the broad ones above the narrow ones. Give every "
    "collection once, by its id; its parent is the id of another of them, or null for a root. Give each a short label, "
    "a summary of a sentence, and a few keywords."
)
_SCHEMA: dict[str, JSON] = {
    "type": "object",
    "properties": {
        "nodes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "collection_id": {"type": "string"},
                    "parent_collection_id": {"type": ["string", "null"]},
                    "label": {"type": "string"},
                    "summary": {"type": "string"},
                    "keywords": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["collection_id", "parent_collection_id", "label", "summary", "keywords"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["nodes"],
    "additionalProperties": False,
}


class TaxonomyInference:
    def __init__(self, metadata: Metadata, language: LanguageModels) -> None:
        self._metadata = metadata
        self._language = language

    async def completed(self, principal: Principal, config: Mapping[str, JSON]) -> dict[str, JSON]:
        """The config with the nodes that its strategy finds; those that it has itself stand over them.

        Raises: ValidationError naming the place; NotSetUpError, LanguageModelError where a model is asked.
        """
        strategy = config.get("inference_strategy")
        if strategy is None:
            return dict(config)
        if strategy == "schema":
            found = await self._by_schema(principal, config)
        elif strategy == "cluster":
            found = await self._by_clusters(principal, config)
        else:
            found = await self._by_model(principal, config)
        own = config.get("hierarchical_nodes")
        written = {_key(one): one for one in own if isinstance(one, dict)} if isinstance(own, list) else {}
        nodes = {**{_key(one): one for one in found}, **written}
        return {**config, "hierarchical_nodes": [*nodes.values()]}

    async def _by_schema(self, principal: Principal, config: Mapping[str, JSON]) -> list[dict[str, JSON]]:
        collections = await self._collections(principal, config)
        fields = {one.collection_id: _fields(one) for one in collections}
        parents = parents_by_fields(fields)
        return [_node(one, parents[one.collection_id]) for one in collections]

    async def _by_clusters(self, principal: Principal, config: Mapping[str, JSON]) -> list[dict[str, JSON]]:
        ids = config.get("cluster_ids")
        if not isinstance(ids, list) or not ids:
            raise ValidationError.at([*_CONFIG, "cluster_ids"], "name the clusters, each of which has been run")
        groupings = await self._metadata.read(
            lambda session: [_grouping(session, principal, str(one), place) for place, one in enumerate(ids)]
        )
        threshold = config.get("cluster_overlap_threshold")
        return nodes_by_overlap(groupings, float(threshold) if isinstance(threshold, int | float) else _THRESHOLD)

    async def _by_model(self, principal: Principal, config: Mapping[str, JSON]) -> list[dict[str, JSON]]:
        collections = await self._collections(principal, config)
        prompt = await self._prompt(principal, config, collections)
        reply = await self._language.ask(principal, prompt, Allowance())
        said: Any = reply.value
        known = {one.collection_id: one for one in collections}
        nodes = {one["collection_id"]: one for one in said["nodes"] if one["collection_id"] in known}
        return [_said(one, nodes.get(one.collection_id, {}), known) for one in collections]

    async def _prompt(
        self, principal: Principal, config: Mapping[str, JSON], collections: Sequence[Collection]
    ) -> Prompt:
        size = config.get("llm_sample_size")
        count = min(size, _MOST_SAMPLES) if isinstance(size, int) else 0

        def read(session: Session) -> list[Sequence[Document]]:
            following = session.documents.following
            return [following(principal, one.collection_id, "", count) if count else () for one in collections]

        samples = await self._metadata.read(read)
        template = config.get("llm_prompt_template")
        told = [
            _described(one, some, template if isinstance(template, str) else None)
            for one, some in zip(collections, samples, strict=True)
        ]
        model = config.get("llm_model")
        return Prompt(
            (Message("system", f"{_TASK} {RULES}"), Message("user", "\n\n".join(told))),
            model=model if isinstance(model, str) else None,
            schema=_SCHEMA,
        )

    async def _collections(self, principal: Principal, config: Mapping[str, JSON]) -> Sequence[Collection]:
        loc: list[str | int] = [*_CONFIG, "inference_collections"]
        names = config.get("inference_collections")
        if not isinstance(names, list) or not names:
            raise ValidationError.at(loc, "name the collections that the tree is worked out of")

        def read(session: Session) -> Sequence[Collection]:
            found = []
            for place, name in enumerate(names):
                collection = session.collections.get(principal, str(name))
                if collection is None:
                    raise ValidationError.at([*loc, place], f"collection {name!r} was not found")
                found.append(collection)
            return list({one.collection_id: one for one in found}.values())

        return await self._metadata.read(read)


def _key(node: Mapping[str, JSON]) -> str:
    return str(node.get("id") or node.get("collection_id") or node.get("label"))


def _fields(collection: Collection) -> frozenset[str]:
    properties = collection.output_schema.get("properties")
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def _node(collection: Collection, parent: str | None) -> dict[str, JSON]:
    node: dict[str, JSON] = {"collection_id": collection.collection_id, "label": collection.name}
    return node if parent is None else {**node, "parent_collection_id": parent}


def _said(collection: Collection, said: Mapping[str, Any], known: Mapping[str, Collection]) -> dict[str, JSON]:
    """A collection that the model forgot is a root; a parent that is none of them is left out."""
    parent = said.get("parent_collection_id")
    node = _node(collection, parent if parent in known and parent != collection.collection_id else None)
    more = {name: said[name] for name in ("label", "summary", "keywords") if said.get(name)}
    return {**node, **more}


def _described(collection: Collection, samples: Sequence[Document], template: str | None) -> str:
    told = "Collection {collection_id}, called {collection_name}." if template is None else template
    for name, value in {"collection_id": collection.collection_id, "collection_name": collection.name}.items():
        told = told.replace(f"{{{name}}}", value)
    facts = fenced(
        f"name: {collection.name}\nfields: {', '.join(sorted(_fields(collection)))}", collection.collection_id
    )
    return "\n".join([told, facts, *(document_block(one.document_id, one.view(), _CHARACTERS) for one in samples)])


def _grouping(session: Session, principal: Principal, identifier: str, place: int) -> Grouping:
    loc: list[str | int] = [*_CONFIG, "cluster_ids", place]
    cluster: Cluster | None = session.clusters.get(principal, identifier)
    if cluster is None:
        raise ValidationError.at(loc, f"cluster {identifier!r} was not found")
    if cluster.last_run_id is None:
        raise ValidationError.at(loc, f"cluster {identifier!r} has not been run; execute it first")
    found = session.cluster_runs.found(principal, cluster.last_run_id)
    if any(not one.centroid for one in found):
        raise ValidationError.at(loc, f"cluster {identifier!r} is none of vectors, so that it has no centroids")
    groups = [Group(one.label, one.centroid, one.keywords, one.summary) for one in found]
    return Grouping(cluster.name, groups, session.cluster_runs.numbers(principal, cluster.last_run_id))
