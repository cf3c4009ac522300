"""How a collection has alerts look at its new documents: what each document gives to the alert's retriever."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tamis.engine.ports.metadata import Session
from tamis.errors import ValidationError
from tamis.model.alert import Alert
from tamis.model.batch import Batch, Task
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import canonical_path
from tamis.model.json import JSON
from tamis.model.matching import resolve
from tamis.model.principal import Principal
from tamis.model.vector import Dense, Vector
from tamis.services.data.walks import begin_walk, new_walk

WATCH = "alert"
"""The kind of walk that executes one."""
FEATURES = "features."
"""Before a path, the vector that the document has of the feature of that name."""
_TASK = "engine_inference_run"
_AT_ONCE = 64
_LOC: list[str | int] = ["body", "alert_applications"]
_ON_INGEST, _ON_DEMAND = "on_ingest", "on_demand"


def check_alerts(session: Session, principal: Principal, applications: Sequence[Mapping[str, JSON]] | None) -> None:
    """Raises: ValidationError naming the place."""
    seen: set[str] = set()
    for place, one in enumerate(applications or ()):
        here = [*_LOC, place]
        alert = session.alerts.get(principal, str(one.get("alert_id")))
        if alert is None:
            raise ValidationError.at([*here, "alert_id"], f"alert {one.get('alert_id')!r} was not found")
        if alert.alert_id in seen:
            raise ValidationError.at([*here, "alert_id"], "a collection applies an alert once; join the input_mappings")
        seen.add(alert.alert_id)
        if one.get("execution_mode") not in (_ON_INGEST, _ON_DEMAND):
            message = "alerts run on_ingest, as a batch ends, or on_demand: POST /v1/alerts/{alert}/execute"
            raise ValidationError.at([*here, "execution_mode"], message)
        check_mappings(one.get("input_mappings"), [*here, "input_mappings"])


def check_mappings(mappings: Any, loc: list[str | int]) -> None:
    """Each input once, and from somewhere. Raises: ValidationError naming the place."""
    keys: set[str] = set()
    for place, one in enumerate(mappings):
        here, source = [*loc, place], one["source"]
        if one["input_key"] in keys:
            raise ValidationError.at([*here, "input_key"], f"{one['input_key']!r} is mapped above already")
        keys.add(one["input_key"])
        if source["source_type"] == "document_field" and not source.get("path"):
            raise ValidationError.at([*here, "source", "path"], "a field of the document, as price or features.text")
        if source["source_type"] == "constant" and source.get("value") is None:
            raise ValidationError.at([*here, "source", "value"], "the value that this input always has")


def inputs_of(
    mappings: Sequence[Mapping[str, Any]], document: Document, vectors: Mapping[str, Vector]
) -> dict[str, JSON] | str:
    """What the retriever is asked with; or why it cannot be, in words.

    vectors: of the document, by feature.
    """
    inputs: dict[str, JSON] = {}
    view = document.dated_view()
    for one in mappings:
        source = one["source"]
        if source["source_type"] == "constant":
            inputs[one["input_key"]] = source["value"]
            continue
        path = canonical_path(str(source["path"]))
        found = _vector(vectors, path) if path.startswith(FEATURES) else resolve(view, path)
        if not found or found == [None]:
            return f"the document has no {path!r}, which {one['input_key']!r} is taken from"
        inputs[one["input_key"]] = found[0] if len(found) == 1 else found
    return inputs


def needs_vectors(mappings: Sequence[Mapping[str, Any]]) -> bool:
    return any(canonical_path(str(one["source"].get("path") or "")).startswith(FEATURES) for one in mappings)


def begin_watch(
    session: Session, principal: Principal, collection: Collection, alert: Alert, mappings: JSON, now: datetime,
    matching: Mapping[str, JSON] | None = None, batch_id: str | None = None,
) -> Task:  # fmt: skip
    """A walk that executes the alert for the collection's documents, or those of a batch."""
    parameters: dict[str, JSON] = {"alert_id": alert.alert_id, "input_mappings": mappings}
    walk = new_walk(principal, WATCH, parameters, now, matching, batch_id, _AT_ONCE)
    return begin_walk(session, principal, collection, _TASK, walk, {"alert_id": alert.alert_id})


def watch_batch(session: Session, principal: Principal, collection: Collection, batch: Batch, now: datetime) -> None:
    """In the transaction that ends the batch. What a migration makes anew on standby is no new document."""
    if collection.is_standby:
        return
    for one in collection.alert_applications:
        alert = session.alerts.get(principal, str(one.get("alert_id")))
        if alert is not None and alert.enabled and one.get("execution_mode") == _ON_INGEST:
            begin_watch(session, principal, collection, alert, one["input_mappings"], now, batch_id=batch.batch_id)


def watching(session: Session, principal: Principal, alert_id: str, collection_id: str) -> Sequence[str]:
    """Tasks under way that execute it for documents of the collection."""
    return [
        one.task_id
        for one in session.walks.list(principal, collection_id)
        if one.kind == WATCH and one.parameters.get("alert_id") == alert_id
    ]


def application_of(collection: Collection, alert: Alert) -> Mapping[str, JSON] | None:
    """How the collection applies it, by whichever of its names."""
    ids = (alert.alert_id, alert.name)
    return next((one for one in collection.alert_applications if one.get("alert_id") in ids), None)


def _vector(vectors: Mapping[str, Vector], path: str) -> list[JSON]:
    vector = vectors.get(path.removeprefix(FEATURES))
    return [[float(value) for value in vector.values]] if isinstance(vector, Dense) else []
