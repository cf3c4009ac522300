"""What a look at a trigger comes to: whether it fires, by what was counted and measured."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import numpy as np

from tamis.engine.ports.metadata import Session
from tamis.engine.searching.stored_vectors import dense
from tamis.jobs.cluster_gathering import feature_row
from tamis.model.cluster import VectorSettings
from tamis.model.document import Document
from tamis.model.filters import parse_filter
from tamis.model.matching import patient
from tamis.model.page import Listing
from tamis.model.principal import Principal
from tamis.model.trigger import Trigger
from tamis.model.vector import FloatArray
from tamis.services.data.collections import require_collection
from tamis.services.learning.cluster_design import feature_names
from tamis.services.learning.clusters import details_of, find_cluster
from tamis.services.learning.schedules import SEEN, ConditionalSchedule, EventSchedule, parse_schedule


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a trigger came to. measured: of its condition."""

    fires: bool
    counted: int = 0
    measured: float | None = None


def look_at(session: Session, principal: Principal, trigger: Trigger, now: datetime) -> Look:
    """Raises: TamisError where it cannot be said any more, as without its cluster."""
    schedule = parse_schedule(trigger.type, trigger.schedule)
    if isinstance(schedule, EventSchedule):
        count = _new(session, principal, trigger)
        waits = trigger.last_fired_at is not None and now < trigger.last_fired_at + timedelta(
            seconds=schedule.cooldown_seconds
        )
        return Look(count >= schedule.event_threshold and not waits, count)
    if isinstance(schedule, ConditionalSchedule):
        return _condition(session, principal, trigger, schedule)
    return Look(fires=True)


def _new(session: Session, principal: Principal, trigger: Trigger) -> int:
    since = trigger.since or trigger.created_at
    return sum(session.documents.count_since(principal, one, since) for one in trigger.collection_ids)


def _condition(session: Session, principal: Principal, trigger: Trigger, schedule: ConditionalSchedule) -> Look:
    count = _new(session, principal, trigger)
    if schedule.condition_type == "documents":
        measured = float(_matching(session, principal, trigger, schedule))
    elif schedule.condition_type == "volume":
        total = sum(session.documents.count(principal, one) for one in trigger.collection_ids)
        measured = count / total if total else 0.0
    else:
        measured = _drift(session, principal, trigger)
    return Look(count > 0 and measured >= schedule.threshold, count, round(measured, 6))


def _matching(session: Session, principal: Principal, trigger: Trigger, schedule: ConditionalSchedule) -> int:
    """Raises: ValidationError where the filter's patterns take too long over the documents."""
    wanted = parse_filter(schedule.filters)
    new = [
        one for collection_id in trigger.collection_ids for one in _newest(session, principal, trigger, collection_id)
    ]
    if wanted is None:
        return len(new)
    is_meant = patient(wanted, ("schedule_config", "filters"))
    return sum(is_meant(one.dated_view()) for one in new)


def _newest(session: Session, principal: Principal, trigger: Trigger, collection_id: str) -> list[Document]:
    since = trigger.since or trigger.created_at
    listing = Listing(sort=(("created_at", True),), limit=SEEN)
    newest = session.documents.page(principal, collection_id, listing).items
    return [one for one in islice(newest, SEEN) if one.created_at > since]


def _drift(session: Session, principal: Principal, trigger: Trigger) -> float:
    """1 - cosine of the new documents' mean and that of all at the last run, 0 to 2; 0 where either is not there."""
    cluster = find_cluster(session, principal, trigger.resource_id)
    run = details_of(session, principal, cluster).result
    if cluster.vector is None or run is None or not run.mean:
        return 0.0
    rows = _new_rows(session, principal, trigger, cluster.vector)
    before, after = np.asarray(run.mean), np.mean(rows, axis=0) if rows else np.zeros(0)
    if len(before) != len(after):
        return 0.0
    lengths = float(np.linalg.norm(before) * np.linalg.norm(after))
    return float(np.clip(1.0 - before @ after / lengths, 0.0, 2.0)) if lengths else 0.0


def _new_rows(session: Session, principal: Principal, trigger: Trigger, settings: VectorSettings) -> list[FloatArray]:
    """Of the newest new documents, as the run had its own, of unit length."""
    collections = [require_collection(session, principal, one) for one in trigger.collection_ids]
    names = feature_names(collections, settings)
    found = []
    for collection_id in trigger.collection_ids:
        ids = [one.document_id for one in _newest(session, principal, trigger, collection_id)]
        for vectors in session.documents.vectors(principal, ids).values():
            row = feature_row([dense(vectors, one) for one in names], settings)
            if row is not None and (length := float(np.linalg.norm(row))):
                found.append(row / np.float32(length))
    return found
