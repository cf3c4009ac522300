"""Documents are told which cluster they are in: a walk over a collection's documents."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.jobs.walking import Change, Step
from tamis.model.batch import TaskStatus
from tamis.model.cluster import Cluster, FoundCluster, Member
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.walk import Walk
from tamis.services.data.document_writes import merged_fields
from tamis.services.learning.cluster_design import known_of
from tamis.services.learning.clusters import find_cluster


class ClusterEnrichment:
    """The walker. A document that says already what it is to say is not written."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def begin(self, principal: Principal, walk: Walk, collection: Collection) -> Step:
        run_id = str(walk.parameters["run_id"])

        def read(session: Session) -> tuple[Cluster, dict[int, FoundCluster]]:
            run = session.cluster_runs.get(principal, run_id)
            if run is None:
                raise NotFoundError.of("run", run_id)
            found = session.cluster_runs.found(principal, run_id)
            return find_cluster(session, principal, run.cluster_id), {one.number: one for one in found}

        cluster, found = await self._metadata.read(read)

        async def step(documents: Sequence[Document]) -> Change:
            ids = [one.document_id for one in documents]
            members = await self._metadata.read(lambda session: session.cluster_runs.members_of(principal, run_id, ids))
            told = [
                _told(document, fields_of(cluster, members[document.document_id], found))
                for document in documents
                if document.document_id in members
            ]
            changed = [after for before, after in zip(_of(documents, members), told, strict=True) if after != before]
            return Change(changed, {"matched_documents": len(members)})

        return step

    def end(self, session: Session, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None) -> None:
        """Its task tells all that there is to tell."""


def fields_of(cluster: Cluster, member: Member, found: Mapping[int, FoundCluster]) -> dict[str, JSON]:
    """What a document is told, by the field: null where it is not known, as of one in no cluster."""
    own = found.get(member.number)
    at = [*member.at, None, None, None]
    known: dict[str, JSON] = {"x": at[0], "y": at[1], "z": at[2]}
    if own is not None:
        known |= {
            "cluster_id": f"cl_{own.number}", "cluster_label": own.label, "member_count": own.size,
            "distance_to_centroid": member.distance, "keywords": [*own.keywords], "summary": own.summary,
        }  # fmt: skip
    return {
        target: known_of(cluster, source) if source.startswith("metadata.") else known.get(source)
        for source, target in cluster.mappings
    }


def _of(documents: Sequence[Document], members: Mapping[str, Member]) -> list[Document]:
    return [one for one in documents if one.document_id in members]


def _told(document: Document, fields: Mapping[str, JSON]) -> Document:
    """No longer what an extraction made, where anything changes."""
    after = merged_fields(document.fields, fields)
    if after == document.fields:
        return document
    return replace(
        document, fields=after, updated_at=datetime.now(UTC), made_from=None, content_key=None, passed=()
    )  # fmt: skip
