"""The shape of an exported execution, `tamis.execution/1`: what docs/execution-format.md explains.

Read strictly: unknown fields, other types and sizes beyond bounds are refused. Numbers that JSON has no form for are
written as the texts `Infinity`, `-Infinity`, `NaN`.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

FORMAT = "tamis.execution/1"
MOST_STAGES = 200
MOST_HITS = 100_000
MOST_CALLS = 100_000

Short: TypeAlias = Annotated[str, Meta(min_length=1, max_length=512)]
Text: TypeAlias = Annotated[str, Meta(max_length=64 * 1024)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Amount: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]
Hex64: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Hex40: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
Score: TypeAlias = float | Literal["Infinity", "-Infinity"]
Number: TypeAlias = Score | Literal["NaN"]
Object: TypeAlias = dict[str, Any]


FILE_FORMAT = "tamis.execution/1"


class _Part(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    pass


class HitPart(_Part):
    """is_document: false for a row that a stage made."""

    id: Short
    score: Number
    scores: dict[Short, Score] = {}
    extra: Object = {}
    is_document: bool = True


class RaisedPart(_Part):
    """type: `module:Class`."""

    type: Annotated[str, Meta(pattern=r"^[\w.]{1,200}:[\w.<>]{1,200}$")]
    message: Text
    details: Object = {}
    problems: list[Object] = []


class CallPart(_Part):
    """answer: as the port notes it, bytes as `{"$bytes": base64}`."""

    port: Short
    method: Short
    asked: Annotated[str, Meta(max_length=128, pattern="^[0-9a-f]*$")]
    answer: Any
    raised: RaisedPart | None = None


Hits: TypeAlias = Annotated[list[HitPart], Meta(max_length=MOST_HITS)]


class StagePart(_Part):
    """received: null for what the stage before returned.  returned: null for what it received."""

    index: Annotated[int, Meta(ge=0, lt=MOST_STAGES)]
    outcome: Literal["completed", "failed", "skipped", "cut", "passed_over"]
    parameters: Object
    received: Hits | None
    returned: Hits | None
    processed: Count
    duration_ms: Amount
    credits_used: Amount = 0.0
    credits_saved: Amount = 0.0
    tokens_used: Count | None = None
    llm_calls: Count | None = None
    cache_key: Short | None = None
    cache_hit: bool | None = None
    metadata: Object = {}
    warnings: list[Text] = []
    error: Text | None = None
    limit: Short | None = None
    shrunk: Object = {}
    calls: Annotated[list[CallPart], Meta(max_length=MOST_CALLS)] = []


class HeaderPart(_Part):
    """started_at: RFC 3339, UTC.  status: never `processing`."""

    execution_id: Annotated[str, Meta(pattern=r"^exec_[0-9a-z]{20,64}$")]
    mode: Short
    status: Literal["completed", "degraded", "failed", "cancelled"]
    started_at: Annotated[str, Meta(max_length=40)]
    duration_ms: Amount
    credits_used: Amount
    total_processed: Count
    total_returned: Count
    total_stages: Annotated[int, Meta(ge=1, le=MOST_STAGES)]
    stages_completed: Annotated[int, Meta(ge=0, le=MOST_STAGES)]
    collection_ids: Annotated[list[Short], Meta(max_length=10_000)]
    retriever_id: Short | None = None
    retriever_version: Count | None = None
    cache_hit_rate: Annotated[float, Meta(ge=0, le=1)] | None = None
    query_summary: Annotated[str, Meta(max_length=120)] | None = None
    inputs_hash: Hex40 | None = None
    error: Text | None = None


class SpecPart(_Part):
    """A stage as the frozen pipeline has it; options: `on_error`, filters around it and alike."""

    stage_name: Short
    stage_id: Short
    parameters: Object
    batch_size: Any = None
    description: Text | None = None
    stage_type: Text | None = None
    options: Object = {}


class BudgetPart(_Part):
    max_credits: float | None = None
    max_time_ms: int | None = None


class DefinitionPart(_Part):
    """The frozen pipeline."""

    stages: Annotated[list[SpecPart], Meta(min_length=1, max_length=MOST_STAGES)]
    input_schema: Object
    collection_ids: Annotated[list[Short], Meta(max_length=10_000)]
    budget: BudgetPart
    cache_config: Object


class CollectionPart(_Part):
    """revision: of its data.  version: of its design."""

    collection_id: Short
    extractor_id: Annotated[str, Meta(max_length=512)]
    revision: Count
    version: Count = 0


class ErrorPart(_Part):
    type: Short
    message: Text
    details: Object = {}


class ReplayPart(_Part):
    replay_of: Short
    mode: Short


class ContextPart(_Part):
    """What it ran with. left_out: what the namespace's policy kept out of the record.  is_taped: whether with calls.

    narrowing: a filter that all reads of documents were AND-ed with, where the caller saw only a part of them.
    """

    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    code_version: Short
    models: dict[Short, Short] = {}
    collections: Annotated[list[CollectionPart], Meta(max_length=10_000)] = []
    traceparent: Annotated[str, Meta(max_length=512)] | None = None
    replay: ReplayPart | None = None
    left_out: list[Short] = []
    warnings: list[Text] = []
    error: ErrorPart | None = None
    is_taped: bool = False
    narrowing: Object | None = None


class DocumentPart(_Part):
    """A document that the execution saw. revision: of the state that it saw.

    content: that state; null where it is not kept, and `absent` then says why: `changed`, `deleted`, `policy`.
    """

    revision: Count
    content: Object | None = None
    absent: Literal["changed", "deleted", "policy"] | None = None


class ExecutionFile(_Part, omit_defaults=False):
    """One execution, whole. definition_hash: SHA-256 of the definition's canonical JSON (RFC 8785)."""

    format: Literal["tamis.execution/1"]
    execution: HeaderPart
    context: ContextPart
    inputs: Object
    definition: Object
    definition_hash: Hex64
    stages: Annotated[list[StagePart], Meta(max_length=MOST_STAGES)]
    revisions: dict[Short, Count] = {}
    documents: dict[Short, DocumentPart] = {}
