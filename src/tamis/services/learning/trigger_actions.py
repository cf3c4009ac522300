"""What triggers begin, as their `action_config` says it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from tamis.engine.ports.metadata import Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.batch import Task, TaskStatus
from tamis.model.filters import parse_filter
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.trigger import Action, Trigger
from tamis.services.data.applications import applying, begin_application
from tamis.services.data.collection_runs import begin_collection
from tamis.services.data.collections import require_collection
from tamis.services.data.taxonomies import find_taxonomy
from tamis.services.learning.cluster_runs import begin_run
from tamis.services.learning.clusters import find_cluster

PLACE: list[str | int] = ["body", "action_config"]
_LATE = timedelta(minutes=1)
"""A document is dated when it is made, and stored a moment later: what fell between is come to again."""
_BATCH_TASK = "api_buckets_batches_process"


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClusterConfig(_Config):
    """A run of this cluster."""

    cluster_id: str = Field(min_length=1)


class TaxonomyConfig(_Config):
    """This taxonomy over the documents of this collection. incremental: those made since it fired last.

    parallelism: of no effect, a collection has one writer.  target_collection_id: the collection itself, if any.
    """

    taxonomy_id: str = Field(min_length=1)
    collection_id: str = Field(min_length=1)
    incremental: bool = False
    scroll_filters: dict[str, Any] | None = None
    batch_size: int = Field(1000, ge=1, le=5000)
    parallelism: int = Field(4, ge=1, le=20)
    target_collection_id: str | None = None


class CollectionConfig(_Config):
    """This collection over all that its sources hold."""

    collection_id: str = Field(min_length=1)
    include_buckets: list[str] | None = None
    include_collections: list[str] | None = None
    source_filters: dict[str, Any] | None = None


Config: TypeAlias = ClusterConfig | TaxonomyConfig | CollectionConfig
_CONFIGS: Mapping[Action, type[Config]] = {
    Action.CLUSTER: ClusterConfig,
    Action.TAXONOMY: TaxonomyConfig,
    Action.COLLECTION: CollectionConfig,
}


@dataclass(frozen=True, slots=True)
class Aim:
    """What an action is done with. collection_ids: whose documents a trigger of it looks at."""

    resource_id: str
    collection_ids: tuple[str, ...]


def parse_config(action: Action, raw: Mapping[str, Any]) -> Config:
    """Raises: ValidationError naming the field."""
    model = _CONFIGS[action]
    for name in ("scroll_filters", "source_filters"):
        parse_filter(raw.get(name), [*PLACE, name])
    try:
        return model.model_validate(dict(raw))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        known = f"; {action} takes {', '.join(model.model_fields)}" if "extra" in first["type"] else ""
        raise ValidationError.at([*PLACE, *first["loc"]], f"{first['msg']}{known}") from None


def aim_of(session: Session, principal: Principal, config: Config) -> Aim:
    """Raises: NotFoundError, ValidationError naming the place."""
    if isinstance(config, ClusterConfig):
        cluster = find_cluster(session, principal, config.cluster_id)
        return Aim(cluster.cluster_id, cluster.collection_ids)
    collection = require_collection(session, principal, config.collection_id)
    if isinstance(config, CollectionConfig):
        above = collection.source.ids if collection.source.type == "collection" else ()
        return Aim(collection.collection_id, above or (collection.collection_id,))
    if config.target_collection_id not in (None, collection.collection_id, collection.name):
        message = "labels go onto the collection's own documents; leave it out, and feed another collection by this"
        raise ValidationError.at([*PLACE, "target_collection_id"], message)
    taxonomy = find_taxonomy(session, principal, config.taxonomy_id)
    return Aim(taxonomy.taxonomy_id, (collection.collection_id,))


def begin_action(session: Session, principal: Principal, trigger: Trigger, now: datetime) -> Task | None:
    """The task that it becomes; None while what it would begin is under way.

    Raises: NotFoundError where what it is done with is gone.
    """
    config = parse_config(trigger.action, trigger.config)
    asker = replace(principal, user_id=trigger.created_by)
    last = session.tasks.get(principal, trigger.last_task_id) if trigger.last_task_id else None
    if last is not None and not last.status.is_final:
        return None
    if isinstance(config, ClusterConfig):
        cluster = find_cluster(session, principal, trigger.resource_id)
        return _unless_busy(lambda: begin_run(session, asker, cluster, now, trigger.trigger_id)[0])
    if isinstance(config, TaxonomyConfig):
        return _begin_taxonomy(session, asker, trigger, config, now)
    return _begin_collection(session, asker, trigger, config, now)


def _unless_busy(begin: Callable[[], Task]) -> Task | None:
    try:
        return begin()
    except ConflictError:
        return None


def _begin_taxonomy(
    session: Session, principal: Principal, trigger: Trigger, config: TaxonomyConfig, now: datetime
) -> Task | None:
    collection = session.collections.get(principal, config.collection_id)
    if collection is None:
        raise NotFoundError.of("collection", config.collection_id)
    taxonomy = find_taxonomy(session, principal, trigger.resource_id)
    if applying(session, principal, taxonomy.taxonomy_id, collection.collection_id, whole=True):
        return None
    wanted = _wanted(trigger, config)
    return begin_application(session, principal, collection, taxonomy, now, wanted, most_at_once=config.batch_size)


def _wanted(trigger: Trigger, config: TaxonomyConfig) -> Mapping[str, JSON] | None:
    since = trigger.last_fired_at if config.incremental else None
    if since is None:
        return config.scroll_filters
    new: dict[str, JSON] = {"field": "created_at", "operator": "gte", "value": (since - _LATE).isoformat()}
    return {"AND": [new, config.scroll_filters]} if config.scroll_filters else {"AND": [new]}


def _begin_collection(
    session: Session, principal: Principal, trigger: Trigger, config: CollectionConfig, now: datetime
) -> Task:
    only = [*(config.include_buckets or ()), *(config.include_collections or ())]
    try:
        return begin_collection(
            session, principal, trigger.resource_id, only or None, parse_filter(config.source_filters)
        ).task
    except ConflictError as nothing:
        # That there is nothing to do is told by a task, as what is done would be.
        skipped = Task(new_id("task"), _BATCH_TASK, TaskStatus.SKIPPED, now, now, error=nothing.message)
        session.tasks.insert(principal, skipped)
        return skipped
