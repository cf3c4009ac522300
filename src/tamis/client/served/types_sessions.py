# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `sessions` sends and gets."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class AgentConfig(TypedDict):
    api_key: NotRequired[str | None]
    available_tools: NotRequired[list[str]]
    max_steps: NotRequired[int]
    max_tokens: NotRequired[int]
    model: NotRequired[str | None]
    provider: NotRequired[str | None]
    retrievers: NotRequired[list[str]]
    system_prompt: NotRequired[str]
    temperature: NotRequired[float]
    timeout_seconds: NotRequired[float]


AnswerEvent: TypeAlias = dict[str, Any]


class AnswerResponse(TypedDict):
    citations: list[CitedDocument]
    content: str
    credits_used: float
    executions: list[str]
    latency_ms: float
    message_id: NotRequired[str | None]
    pending_confirmation: NotRequired[PendingConfirmation | None]
    reason: NotRequired[str | None]
    session_id: str
    status: Literal[
        "complete", "cut", "failed", "interrupted", "cancelled", "awaiting_confirmation", "declined", "lapsed"
    ]
    tokens_used: int
    tool_calls: list[ToolUse]
    unknown_citations: list[str]


class CitedDocument(TypedDict):
    collection_id: str
    document_id: str
    execution_id: str
    label: str
    retriever_id: str
    score: float


class ConfirmationRequest(TypedDict):
    approved: bool
    stream: NotRequired[bool]


class CreateSessionRequest(TypedDict):
    agent_config: AgentConfig
    enable_memory: NotRequired[bool]
    metadata: NotRequired[dict[str, Any]]
    quotas: NotRequired[SessionQuotas | None]
    user_id: NotRequired[str | None]
    user_memory: NotRequired[dict[str, Any]]


class CreateSessionResponse(TypedDict):
    created_at: str
    expires_at: str
    internal_id: str
    namespace_id: str
    session_id: str
    session_name: NotRequired[str | None]
    status: SessionStatus


class GetHistoryResponse(TypedDict):
    has_more: bool
    messages: list[MessageHistoryItem]
    returned_messages: int
    session_id: str
    total_messages: int


class GetSessionResponse(TypedDict):
    agent_config: AgentConfig
    created_at: str
    enable_memory: NotRequired[bool]
    expires_at: str
    internal_id: str
    last_activity_at: str
    message_count: int
    metadata: NotRequired[dict[str, Any]]
    namespace_id: str
    pending_confirmation: NotRequired[PendingConfirmation | None]
    quotas: NotRequired[SessionQuotas]
    session_id: str
    session_name: NotRequired[str | None]
    state: Literal["open", "answering", "asking", "terminated"]
    stats: SessionStats
    status: SessionStatus
    updated_at: str
    user_id: NotRequired[str | None]
    user_memory: NotRequired[dict[str, Any]]


class ListSessionsRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    search: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]
    status: NotRequired[SessionStatus | None]


class ListSessionsResponse(TypedDict):
    pagination: dict[str, Any]
    results: list[GetSessionResponse]
    sessions: list[GetSessionResponse]
    total: int


class ListToolsResponse(TypedDict):
    categories: list[str]
    results: list[ToolInfo]
    total: int


class MessageFeedback(TypedDict):
    feedback_text: NotRequired[str | None]
    rating: Literal["positive", "negative"]
    recorded_at: str


class MessageHistoryItem(TypedDict):
    answer_id: str
    citations: NotRequired[list[CitedDocument]]
    content: str
    content_type: Literal["text", "tool"]
    credits_used: NotRequired[float]
    documents: NotRequired[list[CitedDocument]]
    execution_id: NotRequired[str | None]
    feedback: NotRequired[MessageFeedback | None]
    latency_ms: NotRequired[float]
    message_id: str
    metadata: NotRequired[dict[str, Any]]
    reason: NotRequired[str | None]
    role: Literal["user", "assistant", "tool"]
    status: Literal[
        "complete", "cut", "failed", "interrupted", "cancelled", "awaiting_confirmation", "declined", "lapsed"
    ]
    timestamp: str
    tokens_used: NotRequired[int]
    tool_inputs: NotRequired[str | None]
    tool_name: NotRequired[str | None]
    tool_outputs: NotRequired[str | None]
    tool_status: NotRequired[str | None]
    unknown_citations: NotRequired[list[str]]


class PatchSessionRequest(TypedDict):
    user_memory: dict[str, Any]


class PatchSessionResponse(TypedDict):
    session_id: str
    updated_at: str


class PendingConfirmation(TypedDict):
    confirmation_id: str
    expires_at: str
    inputs: dict[str, Any]
    tool_name: str


class SendMessageRequest(TypedDict):
    content: str
    metadata: NotRequired[dict[str, Any]]
    stream: NotRequired[bool]


class SessionQuotas(TypedDict):
    max_credits: NotRequired[float | None]
    max_messages: NotRequired[int | None]
    max_session_duration_minutes: NotRequired[int | None]
    max_tokens_total: NotRequired[int | None]
    max_tool_calls: NotRequired[int | None]
    rate_limit_messages_per_minute: NotRequired[int | None]


class SessionStats(TypedDict):
    avg_latency_ms: NotRequired[float]
    total_credits: NotRequired[float]
    total_messages: NotRequired[int]
    total_tokens: NotRequired[int]
    total_tool_calls: NotRequired[int]


SessionStatus: TypeAlias = Literal["active", "idle", "archived", "terminated"]


class SubmitFeedbackRequest(TypedDict):
    feedback_text: NotRequired[str | None]
    message_id: str
    rating: str


class SubmitFeedbackResponse(TypedDict):
    message_id: str
    rating: str
    recorded_at: str
    session_id: str
    stored: bool


class TerminateSessionResponse(TypedDict):
    session_id: str
    status: SessionStatus
    terminated_at: str


class ToolInfo(TypedDict):
    category: str
    description: str
    name: str
    parameters: NotRequired[dict[str, Any]]
    required_params: NotRequired[list[str]]
    requires_confirmation: NotRequired[bool]


class ToolUse(TypedDict):
    documents: list[CitedDocument]
    execution_id: NotRequired[str | None]
    inputs: Any
    latency_ms: float
    output: str
    status: Literal[
        "complete", "cut", "failed", "interrupted", "cancelled", "awaiting_confirmation", "declined", "lapsed"
    ]
    tool_name: str
