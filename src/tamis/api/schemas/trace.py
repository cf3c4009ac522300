"""An execution's trace on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel


class TracedHit(BaseModel):
    """One document at its rank (from 1).

    score: what the last scoring stage said.  scores: every score that it was given by then, by feature or stage.
    extra: fields that stages had added.  is_document: false for a row that a stage made.
    revision: that of the document as it was seen.  now: how it stands today; null where this server cannot know.
    """

    rank: int
    document_id: str
    score: float
    scores: dict[str, float]
    extra: dict[str, Any]
    is_document: bool
    revision: int | None
    now: Literal["unchanged", "changed", "deleted"] | None


class TracedHits(BaseModel):
    """A window. total: all that there are on this side of the stage.  items: null where not asked for."""

    total: int
    offset: int
    items: list[TracedHit] | None


class TracedDocuments(BaseModel):
    received: TracedHits
    returned: TracedHits


class TracedStage(BaseModel):
    """One stage. outcome: `completed`, `failed`, `skipped` (it failed and the run went on), `cut` (by the budget),
    `passed_over` (its condition was false, as `metadata.passed_over` says), `running`, `not_run`; what follows is null
    where it did not run.

    parameters: after templating.  start_ms: what the stages before it took; what lies between stages is not counted.
    calls: how many answers from outside the record keeps for a replay.
    limit: the budget's limit that cut it.  shrunk: what the budget took from it, `{parameter: [as written, as run]}`.
    """

    stage_index: int
    stage_name: str
    stage_id: str
    outcome: str
    parameters: dict[str, Any] | None = None
    received: int | None = None
    processed: int | None = None
    returned: int | None = None
    start_ms: float | None = None
    duration_ms: float | None = None
    credits_used: float | None = None
    credits_saved: float | None = None
    tokens_used: int | None = None
    llm_calls: int | None = None
    cache_key: str | None = None
    cache_hit: bool | None = None
    calls: int | None = None
    error: str | None = None
    limit: str | None = None
    shrunk: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    warnings: list[str] | None = None
    documents: TracedDocuments | None = None


class TracedCollection(BaseModel):
    """revision: as the execution found it; each write raises it.  current_revision: today, null where it is gone."""

    collection_id: str
    extractor_id: str
    revision: int
    current_revision: int | None


class TracedReplay(BaseModel):
    replay_of: str
    mode: str


class TracedError(BaseModel):
    type: str
    message: str
    details: dict[str, Any]


class TracedImport(BaseModel):
    """Where it ran, it was this retriever's, in this mode."""

    retriever_id: str | None
    execution_mode: str


class TraceResponse(BaseModel):
    """Everything that is known of an execution.

    inputs: large values as references, `{"blob_ref": ...}`, unless `inputs=full` is asked for.
    definition: the pipeline as it was frozen.  left_out: what the namespace's policy kept out of the record.
    """

    execution_id: str
    retriever_id: str | None
    retriever_version: int | None
    execution_mode: str
    status: str
    timestamp: datetime
    completed_at: datetime | None
    duration_ms: float
    credits_used: float
    credits_saved: float
    total_processed: int
    total_returned: int
    total_stages: int
    stages_completed: int
    cache_hit_rate: float | None
    collection_ids: list[str]
    query_summary: str | None
    inputs: dict[str, Any]
    inputs_hash: str | None
    definition: dict[str, Any]
    definition_hash: str
    seed: int
    code_version: str
    record_format: int
    models: dict[str, str]
    collections: list[TracedCollection]
    traceparent: str | None
    replay: TracedReplay | None
    imported: TracedImport | None
    left_out: list[str]
    warnings: list[str]
    error: TracedError | None
    stages: list[TracedStage]
