"""Durable work over a collection's documents, one after the other, in the order of their ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Walk:
    """What is still to be done, and how far it has come. It is there for as long as it is under way.

    kind: whose work it is.  parameters: the kind's own, for all of the way.  counts: what the kind has counted so far.
    batch_id: only the documents made of what this batch did; None is all.  matching: a filter as sent; None is all.
    after: the last document that is done.  total: documents when it began.  seen: those that it has come past.
    most_at_once: documents in one transaction.  requested_by: user and key.
    """

    task_id: str
    kind: str
    collection_id: str
    created_at: datetime
    total: int
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    batch_id: str | None = None
    matching: Mapping[str, JSON] | None = None
    after: str = ""
    seen: int = 0
    changed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    most_at_once: int = 500
    requested_by: tuple[str, str] = ("", "")
