# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `executions` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_evaluations import EvaluationDataset
    from tamis.client.served.types_retrievers import RetrieverConfig
    from tamis.client.served.types_shared import PaginationMetadata, StageStatistics


class AnonymousExecutionDetail(TypedDict):
    cache_hit_rate: NotRequired[float | None]
    collection_ids: NotRequired[list[str]]
    credits_used: float
    duration_ms: float
    execution_id: str
    execution_mode: str
    inputs: NotRequired[str | None]
    inputs_hash: NotRequired[str | None]
    query_summary: NotRequired[str | None]
    stages_completed: int
    status: str
    timestamp: Any
    total_processed: int
    total_returned: int
    total_stages: int


class AnonymousExecutionSummary(TypedDict):
    cache_hit_rate: NotRequired[float | None]
    collection_ids: NotRequired[list[str]]
    credits_used: float
    duration_ms: float
    execution_id: str
    execution_mode: str
    query_summary: NotRequired[str | None]
    stages_completed: int
    status: str
    timestamp: Any
    total_processed: int
    total_returned: int
    total_stages: int


class AsOfModel(TypedDict):
    collections_changed: bool
    computed_at: str
    document: Literal["unchanged", "changed", "created", "deleted"]
    ran_at: str


Cause: TypeAlias = Literal["definition", "inputs", "code", "data", "model", "outside", "cache", "nondeterminism"]


class ChangeModel(TypedDict):
    edits: list[EditModel]
    note: NotRequired[str | None]
    outcome: Literal["returned", "stops_later", "unchecked"]
    rank: NotRequired[int | None]
    stopped_at: NotRequired[str | None]


class DeleteExecutionsRequest(TypedDict):
    end_time: NotRequired[str | float | None]
    execution_ids: NotRequired[list[str] | None]
    inputs_hash: NotRequired[str | None]
    start_time: NotRequired[str | float | None]


class DeleteExecutionsResponse(TypedDict):
    deleted: int
    running: NotRequired[list[str]]


class DiffGround(TypedDict):
    cause: Literal["definition", "inputs", "code", "data", "model", "outside", "cache", "nondeterminism"]
    says: str


class DiffMovedHit(TypedDict):
    document_id: str
    rank_a: int
    rank_b: int


class DiffRescoredHit(TypedDict):
    document_id: str
    score_a: float
    score_b: float
    scores: dict[str, Nonetype]


class DiffResponse(TypedDict):
    a: str
    b: str
    cause: Literal["definition", "inputs", "code", "data", "model", "outside", "cache", "nondeterminism"] | None
    explanation: list[DiffGround]
    first_divergence: Divergence | None
    identical: bool
    inputs_identical: bool | None
    stages: list[StageDifference]


class DiffTotals(TypedDict):
    altered: int
    entered: int
    left: int
    moved: int
    rescored: int


class Divergence(TypedDict):
    cause: Literal["definition", "inputs", "code", "data", "model", "outside", "cache", "nondeterminism"]
    stage_index: int
    stage_name: str


EditModel = TypedDict("EditModel", {"from": "NotRequired[Any]", "path": "list[str | int]", "to": "NotRequired[Any]"})


class EnteredHit(TypedDict):
    document_id: str
    rank: int
    score: float


class ExecutionDetail(TypedDict):
    budget: NotRequired[dict[str, Any]]
    completed_at: NotRequired[str | None]
    created_at: str
    current_stage: NotRequired[str | None]
    documents: NotRequired[list[dict[str, Any]]]
    error: NotRequired[str | None]
    execution_id: str
    optimization_applied: NotRequired[bool]
    optimization_summary: NotRequired[dict[str, Any] | None]
    pagination: NotRequired[dict[str, Any]]
    retriever_id: NotRequired[str | None]
    stage_statistics: NotRequired[RetrieverExecutionStatistics]
    stages_completed: NotRequired[int]
    status: str
    total_stages: NotRequired[int]


class FirstDivergence(TypedDict):
    cause: Cause
    stage_index: int
    stage_name: str


class ListAnonymousExecutionsRequest(TypedDict):
    count_only: NotRequired[bool]
    end_time: NotRequired[Any]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    start_time: NotRequired[Any]
    status: NotRequired[str | None]


class ListAnonymousExecutionsResponse(TypedDict):
    executions: NotRequired[list[AnonymousExecutionSummary]]
    pagination: Any
    results: NotRequired[list[AnonymousExecutionSummary]]
    total: NotRequired[int]


class ListExecutionsRequest(TypedDict):
    count_only: NotRequired[bool]
    filters: NotRequired[dict[str, Any] | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    sorts: NotRequired[list[dict[str, Any]] | None]
    status: NotRequired[str | None]


class ListExecutionsResponse(TypedDict):
    executions: NotRequired[list[RetrieverExecutionSummary]]
    pagination: PaginationMetadata
    results: NotRequired[list[RetrieverExecutionSummary]]
    total: NotRequired[int]


class Nonetype(TypedDict):
    a: str | None
    b: str | None


class PromoteRequest(TypedDict):
    dataset_name: NotRequired[str | None]
    description: NotRequired[str | None]
    retriever_name: NotRequired[str | None]
    tags: NotRequired[list[str]]
    to: Literal["retriever", "dataset", "evaluation"]


class PromoteResponse(TypedDict):
    created: bool
    dataset: NotRequired[EvaluationDataset | None]
    execution_id: str
    query_id: NotRequired[str | None]
    retriever: NotRequired[RetrieverConfig | None]
    to: Literal["retriever", "dataset"]


class ReplayChanges(TypedDict):
    altered: list[str]
    entered: list[ReplayedHit]
    left: list[ReplayedHit]
    moved: list[ReplayMovedHit]
    rescored: list[ReplayRescoredHit]


ReplayMode: TypeAlias = Literal["frozen", "live"]


class ReplayMovedHit(TypedDict):
    document_id: str
    rank_now: int
    rank_then: int


class ReplayRequest(TypedDict):
    allow_effects: NotRequired[bool]
    mode: NotRequired[ReplayMode]


class ReplayRescoredHit(TypedDict):
    document_id: str
    score_now: float
    score_then: float


class ReplayResponse(TypedDict):
    answered_from_record: list[str]
    changes: ReplayChanges | None
    execution_id: str | None
    explanation: list[str]
    first_divergence: FirstDivergence | None
    mode: ReplayMode
    reason: str | None
    replay_of: str
    verdict: Verdict


class ReplayedHit(TypedDict):
    document_id: str
    rank: int
    score: float


class RetrieverExecutionStatistics(TypedDict):
    credits_used: NotRequired[float]
    stages: NotRequired[dict[str, StageStatistics]]
    total_time_ms: NotRequired[float]


class RetrieverExecutionSummary(TypedDict):
    cache_hit_rate: NotRequired[float | None]
    completed_at: NotRequired[str | None]
    created_at: str
    credits_used: float
    duration_ms: float
    execution_id: str
    inputs_hash: NotRequired[str | None]
    query_summary: NotRequired[str | None]
    status: str
    total_processed: int
    total_returned: int


class StageDifference(TypedDict):
    altered: list[str]
    cache: Nonetype
    credits: Nonetype
    duration_ms: Nonetype
    entered: list[EnteredHit]
    identical: bool
    in_a: bool
    in_b: bool
    left: list[EnteredHit]
    moved: list[DiffMovedHit]
    outcome: Nonetype
    place: Nonetype
    received: Nonetype
    rescored: list[DiffRescoredHit]
    returned: Nonetype
    stage_id: Nonetype
    stage_name: str
    totals: DiffTotals


class StageVerdictModel(TypedDict):
    facts: NotRequired[dict[str, Any]]
    rank_in: NotRequired[int | None]
    rank_out: NotRequired[int | None]
    reason: str
    score: NotRequired[float | None]
    stage_id: NotRequired[str | None]
    stage_index: NotRequired[int | None]
    stage_name: str
    verdict: VerdictKind


class TraceResponse(TypedDict):
    cache_hit_rate: float | None
    code_version: str
    collection_ids: list[str]
    collections: list[TracedCollection]
    completed_at: str | None
    credits_saved: float
    credits_used: float
    definition: dict[str, Any]
    definition_hash: str
    duration_ms: float
    error: TracedError | None
    execution_id: str
    execution_mode: str
    imported: TracedImport | None
    inputs: dict[str, Any]
    inputs_hash: str | None
    left_out: list[str]
    models: dict[str, str]
    query_summary: str | None
    record_format: int
    replay: TracedReplay | None
    retriever_id: str | None
    retriever_version: int | None
    seed: int
    stages: list[TracedStage]
    stages_completed: int
    status: str
    timestamp: str
    total_processed: int
    total_returned: int
    total_stages: int
    traceparent: str | None
    warnings: list[str]


class TracedCollection(TypedDict):
    collection_id: str
    current_revision: int | None
    extractor_id: str
    revision: int


class TracedDocuments(TypedDict):
    received: TracedHits
    returned: TracedHits


class TracedError(TypedDict):
    details: dict[str, Any]
    message: str
    type: str


class TracedHit(TypedDict):
    document_id: str
    extra: dict[str, Any]
    is_document: bool
    now: Literal["unchanged", "changed", "deleted"] | None
    rank: int
    revision: int | None
    score: float
    scores: dict[str, float]


class TracedHits(TypedDict):
    items: list[TracedHit] | None
    offset: int
    total: int


class TracedImport(TypedDict):
    execution_mode: str
    retriever_id: str | None


class TracedReplay(TypedDict):
    mode: str
    replay_of: str


class TracedStage(TypedDict):
    cache_hit: NotRequired[bool | None]
    cache_key: NotRequired[str | None]
    calls: NotRequired[int | None]
    credits_saved: NotRequired[float | None]
    credits_used: NotRequired[float | None]
    documents: NotRequired[TracedDocuments | None]
    duration_ms: NotRequired[float | None]
    error: NotRequired[str | None]
    limit: NotRequired[str | None]
    llm_calls: NotRequired[int | None]
    metadata: NotRequired[dict[str, Any] | None]
    outcome: str
    parameters: NotRequired[dict[str, Any] | None]
    processed: NotRequired[int | None]
    received: NotRequired[int | None]
    returned: NotRequired[int | None]
    shrunk: NotRequired[dict[str, Any] | None]
    stage_id: str
    stage_index: int
    stage_name: str
    start_ms: NotRequired[float | None]
    tokens_used: NotRequired[int | None]
    warnings: NotRequired[list[str] | None]


Verdict: TypeAlias = Literal["identical", "drifted", "not_replayable"]

VerdictKind: TypeAlias = Literal[
    "passed",
    "not_searched",
    "not_yet_there",
    "no_vector",
    "no_match",
    "never_a_candidate",
    "below_min_score",
    "filtered",
    "cut",
    "lost_in_group",
    "duplicate",
    "not_drawn",
    "replaced",
    "dropped",
    "changed",
    "run_ended",
    "passed_over",
    "not_reached",
    "on_another_page",
]


class WhyRequest(TypedDict):
    check: NotRequired[bool]
    document_id: str


class WhyResponse(TypedDict):
    as_of: AsOfModel
    change: NotRequired[ChangeModel | None]
    document_id: str
    execution_id: str
    rank: NotRequired[int | None]
    returned: bool
    stages: list[StageVerdictModel]
    stopped_at: NotRequired[str | None]
