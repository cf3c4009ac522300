"""The record of one execution: enough to say what happened, to run it again and to tell what changed since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tamis.engine.tape import RecordedCall as RecordedCall
from tamis.model.execution import ExecutionHeader
from tamis.model.json import JSON


class StageOutcome(StrEnum):
    """skipped: it failed and the run went on.  cut: the budget ended the run there.

    passed_over: its condition was false; what it received went on, and `metadata` has why.
    """

    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CUT = "cut"
    PASSED_OVER = "passed_over"


PAGINATION = "pagination"
"""What the last stage's facts say of the part that was shown."""


@dataclass(frozen=True, slots=True)
class RecordedHit:
    """scores: every score it had been given by then, by feature or stage name.

    extra: what stages had added to it.  is_document: false for a row that a stage made.
    """

    id: str
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, JSON] = field(default_factory=dict)
    is_document: bool = True


@dataclass(frozen=True, slots=True)
class RecordedStage:
    """One stage as it ran. parameters: after templating, as far as it got; large values as references.

    limit: which of the budget's limits cut it, `max_time_ms` or `max_credits`.
    calls: in order; empty where the record was kept without them.  credits_saved: what a cache spared.
    shrunk: what the budget took from it before it ran, `{parameter: [as written, as run]}`.
    """

    index: int
    stage_name: str
    stage_id: str
    outcome: StageOutcome
    parameters: Mapping[str, JSON]
    received: tuple[RecordedHit, ...]
    returned: tuple[RecordedHit, ...]
    processed: int
    duration_ms: float
    credits_used: float = 0.0
    tokens_used: int | None = None
    llm_calls: int | None = None
    cache_key: str | None = None
    cache_hit: bool | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str | None = None
    limit: str | None = None
    calls: tuple[RecordedCall, ...] = ()
    credits_saved: float = 0.0
    shrunk: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CollectionState:
    """A collection as the execution found it. revision: grows with every committed write to its documents.

    version: of its design, `Collection.version`; 0 where a record does not say.
    """

    collection_id: str
    extractor_id: str
    revision: int
    version: int = 0


@dataclass(frozen=True, slots=True)
class RecordedError:
    code: str
    message: str
    details: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """of: the execution that this one repeated.  mode: `frozen`, `live`."""

    of: str
    mode: str


@dataclass(frozen=True, slots=True)
class Imported:
    """An execution that ran elsewhere, as it stood there: retriever_id, mode.

    documents: by id, as `export` writes them; large values as references.
    """

    retriever_id: str | None
    mode: str
    documents: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """format: the version of the bytes it was read from.  code_version: of the Tamis that ran it.

    definition: frozen, as JSON.  inputs: as JSON, large values as references (`references.restore`).
    models: version by model name.  revisions: by document id, the revision of the document that was seen.
    replay: set where it repeats another execution.  traceparent: the caller's, as W3C Trace Context writes it.
    left_out: what the namespace's policy kept out of it, of `inputs`, `documents`.
    imported: set where it came in as a file.  is_taped: whether its stages' calls were kept.
    narrowing: what all its reads of documents were AND-ed with, where its caller saw only a part of them.
    """

    format: int
    header: ExecutionHeader
    inputs: Mapping[str, JSON]
    definition: Mapping[str, JSON]
    definition_hash: str
    retriever_version: int | None
    seed: int
    code_version: str
    models: Mapping[str, str]
    collections: tuple[CollectionState, ...]
    revisions: Mapping[str, int]
    stages: tuple[RecordedStage, ...]
    warnings: tuple[str, ...] = ()
    error: RecordedError | None = None
    replay: Replay | None = None
    traceparent: str | None = None
    left_out: tuple[str, ...] = ()
    imported: Imported | None = None
    is_taped: bool = False
    narrowing: Mapping[str, JSON] | None = None
