"""New collections take the places of old ones, with everything that names them: one transaction, or none of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from tamis.engine.planning.plan import Planner
from tamis.engine.ports.metadata import Session
from tamis.errors import ConflictError, TamisError
from tamis.model.cluster import Cluster
from tamis.model.json import JSON
from tamis.model.organization import ApiKey
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever, version_of
from tamis.model.taxonomy import Taxonomy
from tamis.services.data.re_extraction import Names, Replaced, cut
from tamis.services.runs.retrievers import ANY_NAME, find_collections


class CollectionSwitch:
    """pairs: as they are stored now.  tail: what the old collections' names end with afterwards."""

    def __init__(self, planner: Planner, pairs: Sequence[Replaced], tail: str, now: datetime) -> None:
        self._planner = planner
        self._pairs = pairs
        self._ids = {one.old.collection_id: one.new.collection_id for one in pairs}
        self._names = Names(pairs)
        self._tail = tail
        self._now = now

    def make(self, session: Session, principal: Principal) -> None:
        """The new ones are called as the old ones were, and these stay, on standby and fed by nothing.

        Retrievers, taxonomies, clusters and keys that name an old one by its id name the new one.
        Raises: ConflictError where a retriever would not run any more, or is being rolled out.
        """
        for one in self._pairs:
            before = replace(one.old, name=cut(one.old.name, self._tail), is_standby=True, enabled=False)
            session.collections.replace(principal, replace(before, updated_at=self._now))
        for one in self._pairs:
            after = replace(one.new, name=one.old.name, is_standby=False, enabled=one.old.enabled)
            session.collections.replace(principal, replace(after, updated_at=self._now))
        for retriever in session.retrievers.list(principal):
            self._lead_retriever(session, principal, retriever)
        for taxonomy in session.taxonomies.list(principal):
            self._lead_taxonomy(session, principal, taxonomy)
        for cluster in session.clusters.list(principal):
            self._lead_cluster(session, principal, cluster)
        for key in session.keys.list(principal):
            self._lead_key(session, principal, key)

    def _lead_retriever(self, session: Session, principal: Principal, retriever: Retriever) -> None:
        definition = self._names.definition(retriever.definition)
        collections = find_collections(session, principal, definition.collection_ids, definition.stages)
        if definition == retriever.definition and not {one.collection_id for one in collections} & {
            *self._ids.values()
        }:
            return
        if session.rollouts.get(principal, retriever.retriever_id) is not None:
            message = f"retriever {retriever.name!r} is being rolled out; end that first"
            raise ConflictError(message, retriever_id=retriever.retriever_id)
        try:
            self._planner.plan(definition, collections, () if definition.input_schema else ANY_NAME)
        except TamisError as error:
            message = f"retriever {retriever.name!r} would not run over the new collections: {error.message}"
            raise ConflictError(message, retriever_id=retriever.retriever_id) from error
        changed = replace(retriever, updated_at=self._now)
        if definition != retriever.definition:
            session.retriever_versions.put(principal, version_of(retriever))
            changed = replace(changed, definition=definition, version=retriever.version + 1)
            session.retriever_versions.put(principal, version_of(changed))
        session.retrievers.replace(principal, changed)

    def _lead_taxonomy(self, session: Session, principal: Principal, taxonomy: Taxonomy) -> None:
        config = cast(dict[str, JSON], self._names.json(dict(taxonomy.config)))
        if config != taxonomy.config:
            after = replace(taxonomy, config=config, version=taxonomy.version + 1, updated_at=self._now)
            session.taxonomy_versions.put(principal, after.taxonomy_id, after.snapshot)
            session.taxonomies.replace(principal, after)

    def _lead_cluster(self, session: Session, principal: Principal, cluster: Cluster) -> None:
        ids = tuple(self._ids.get(one, one) for one in cluster.collection_ids)
        vector = cluster.vector
        if vector is not None:
            vector = replace(vector, features=tuple(str(self._names.json(one)) for one in vector.features))
        if (ids, vector) != (cluster.collection_ids, cluster.vector):
            after = replace(cluster, collection_ids=ids, vector=vector, updated_at=self._now)
            session.clusters.replace(principal, after)

    def _lead_key(self, session: Session, principal: Principal, key: ApiKey) -> None:
        """Whoever sees one collection goes on seeing it."""
        inside = {"namespace_id": principal.namespace_id, "resource_type": "collection"}
        scopes = tuple(
            {**scope, "resource_id": self._ids.get(str(scope.get("resource_id")), scope.get("resource_id"))}
            if {name: scope.get(name) for name in inside} == inside
            else scope
            for scope in key.scopes
        )
        if scopes != key.scopes:
            session.keys.replace(principal, replace(key, scopes=scopes))
