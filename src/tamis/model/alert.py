"""Alerts: a saved retriever is asked for each new document, and whoever is named hears of what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Alert:
    """webhook_ids: those that are told, whatever else they listen to.

    with_matches: whether they are told what was found.  with_scores: and how well it fitted.
    max_credits: of one walk over a collection or a batch; once so much is spent, no further document is asked for.
    """

    alert_id: str
    name: str
    retriever_id: str
    webhook_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    enabled: bool = True
    with_matches: bool = True
    with_scores: bool = True
    max_credits: float | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertMatch:
    """A document that the retriever found. object_id: that it goes back to."""

    document_id: str
    collection_id: str
    score: float
    object_id: str | None = None


@dataclass(frozen=True, slots=True)
class AlertExecution:
    """What an alert came to for one document.

    cause: the batch that brought the document, or the task of a walk that was asked for; an alert is executed once for
    each cause and document.  execution_id: of the record; None where the retriever could not be asked.
    match_count: of all that it found, of which `matches` has the first.
    """

    alert_id: str
    cause: str
    document_id: str
    collection_id: str
    executed_at: datetime
    duration_ms: float
    execution_id: str | None = None
    match_count: int = 0
    matches: tuple[AlertMatch, ...] = ()
    credits_used: float = 0.0
    error: str | None = None

    @property
    def triggered(self) -> bool:
        return self.match_count > 0
