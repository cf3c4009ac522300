"""What a collection has done with whatever batches bring into it: taxonomies applied, clusters run, alerts executed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tamis.engine.ports.metadata import Session
from tamis.errors import ValidationError
from tamis.model.batch import Batch, Task
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.taxonomy import Taxonomy
from tamis.model.trigger import DueRun
from tamis.services.data.alert_applications import watch_batch
from tamis.services.data.walks import begin_walk, new_walk

APPLICATION = "taxonomy"
"""The kind of walk that applies one."""
_TASK = "api_taxonomies_materialize"
_LOC: list[str | int] = ["body", "taxonomy_applications"]
_CLUSTERS: list[str | int] = ["body", "cluster_applications"]


def check_applications(
    session: Session, principal: Principal, applications: Sequence[Mapping[str, JSON]] | None, own_id: str | None = None
) -> None:
    """own_id: of the collection, where it is there already.  Raises: ValidationError naming the place."""
    for place, one in enumerate(applications or ()):
        taxonomy, target = one.get("taxonomy_id"), one.get("target_collection_id")
        if session.taxonomies.get(principal, str(taxonomy)) is None:
            raise ValidationError.at([*_LOC, place, "taxonomy_id"], f"taxonomy {taxonomy!r} was not found")
        if target is not None and target != own_id:
            message = "labels go onto the collection's own documents; leave it out, and feed another collection by this"
            raise ValidationError.at([*_LOC, place, "target_collection_id"], message)
        parse_filter(one.get("scroll_filters"), [*_LOC, place, "scroll_filters"])


def check_cluster_applications(
    session: Session, principal: Principal, applications: Sequence[Mapping[str, JSON]] | None
) -> None:
    """Raises: ValidationError naming the place."""
    for place, one in enumerate(applications or ()):
        cluster = one.get("cluster_id")
        if session.clusters.get(principal, str(cluster)) is None:
            raise ValidationError.at([*_CLUSTERS, place, "cluster_id"], f"cluster {cluster!r} was not found")


def still_there(
    session: Session, principal: Principal, applications: Sequence[dict[str, JSON]]
) -> tuple[dict[str, JSON], ...]:
    """Those of clusters that have not been deleted."""
    return tuple(one for one in applications if session.clusters.get(principal, str(one.get("cluster_id"))))


def begin_application(
    session: Session, principal: Principal, collection: Collection, taxonomy: Taxonomy, now: datetime,
    matching: Mapping[str, JSON] | None = None, batch_id: str | None = None, most_at_once: int = 1000,
) -> Task:  # fmt: skip
    """A walk that labels the collection's documents, or those of a batch, by the taxonomy as it is now."""
    parameters: dict[str, JSON] = {"taxonomy_id": taxonomy.taxonomy_id, "version": taxonomy.version}
    walk = new_walk(principal, APPLICATION, parameters, now, matching, batch_id, most_at_once)
    return begin_walk(session, principal, collection, _TASK, walk, parameters)


def follow_batch(session: Session, principal: Principal, batch: Batch, now: datetime) -> None:
    """In the transaction that ends a batch: what its collections apply begins, and no kill can come between."""
    for collection_id in dict.fromkeys(one for tier in batch.tiers for one in tier.collection_ids):
        collection = session.collections.get(principal, collection_id)
        for one in collection.taxonomy_applications if collection is not None else ():
            taxonomy = session.taxonomies.get(principal, str(one.get("taxonomy_id")))
            if collection is None or taxonomy is None or one.get("execution_mode") != "materialize":
                continue
            wanted = one.get("scroll_filters")
            begin_application(
                session, principal, collection, taxonomy, now, wanted if isinstance(wanted, dict) else None,
                batch.batch_id,
            )  # fmt: skip
        if collection is not None:
            _ask_for_runs(session, principal, collection, now)
            watch_batch(session, principal, collection, batch, now)


def _ask_for_runs(session: Session, principal: Principal, collection: Collection, now: datetime) -> None:
    """Of the clusters that are to run whenever a batch has ended; whoever looks at triggers begins them."""
    for one in collection.cluster_applications:
        cluster = session.clusters.get(principal, str(one.get("cluster_id")))
        if cluster is None or not one.get("auto_execute_on_batch", True):
            continue
        cooldown, least = one.get("cooldown_seconds", 3600), one.get("min_document_threshold")
        session.due_runs.put(
            principal,
            DueRun(
                cluster.cluster_id, collection.collection_id, now, cooldown if isinstance(cooldown, int) else 3600,
                least if isinstance(least, int) else None,
            ),
        )  # fmt: skip


def applying(
    session: Session, principal: Principal, taxonomy_id: str, collection_id: str, whole: bool = False
) -> Sequence[str]:
    """Tasks under way that apply it to the collection. whole: to all of it, not to a batch's documents."""
    return [
        one.task_id
        for one in session.walks.list(principal, collection_id)
        if one.kind == APPLICATION
        and one.parameters.get("taxonomy_id") == taxonomy_id
        and not (whole and one.batch_id is not None)
    ]
