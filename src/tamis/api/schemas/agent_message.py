"""What is said in a session with an agent, on the wire."""

from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from tamis.api.schemas.agent_session import PendingConfirmation
from tamis.model.agent_session import AgentMessage, MessageStatus, Shown
from tamis.model.agent_session import ToolUse as Use
from tamis.services.agents.answer import Answered

Status = Literal["complete", "cut", "failed", "interrupted", "cancelled", "awaiting_confirmation", "declined", "lapsed"]


class SendMessageRequest(BaseModel):
    content: str = Field(min_length=1, max_length=50_000)
    metadata: dict[str, Any] = Field(default_factory=dict)
    stream: bool = True


class ConfirmationRequest(BaseModel):
    approved: bool
    stream: bool = True


class CitedDocument(BaseModel):
    """label: what the answer calls it, in brackets.  execution_id: of the run that brought it last."""

    label: str
    document_id: str
    collection_id: str
    retriever_id: str
    execution_id: str
    score: float


class MessageFeedback(BaseModel):
    rating: Literal["positive", "negative"]
    feedback_text: str | None = None
    recorded_at: datetime


class MessageHistoryItem(BaseModel):
    """A question, a call of a tool, or an answer. An answer that is not `complete` has no content, and says why."""

    message_id: str
    role: Literal["user", "assistant", "tool"]
    content: str
    content_type: Literal["text", "tool"]
    timestamp: datetime
    tool_name: str | None = None
    tool_inputs: str | None = Field(None, description="JSON.")
    tool_outputs: str | None = Field(None, description="What the model was shown, documents fenced and cut.")
    tool_status: str | None = None
    answer_id: str
    status: Status
    reason: str | None = None
    execution_id: str | None = None
    documents: list[CitedDocument] = Field(default_factory=list)
    citations: list[CitedDocument] = Field(default_factory=list)
    unknown_citations: list[str] = Field(
        default_factory=list, description="What the model cited without having been shown it; it is not in the text."
    )
    tokens_used: int = 0
    credits_used: float = 0.0
    latency_ms: float = 0.0
    feedback: MessageFeedback | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class GetHistoryResponse(BaseModel):
    session_id: str
    messages: list[MessageHistoryItem]
    total_messages: int
    returned_messages: int
    has_more: bool


class ToolUse(BaseModel):
    tool_name: str
    inputs: Any
    output: str
    status: Status
    execution_id: str | None = None
    documents: list[CitedDocument]
    latency_ms: float


class AnswerResponse(BaseModel):
    """An answer at once. `awaiting_confirmation`: it goes on with the confirmation; there is no content yet."""

    session_id: str
    message_id: str | None = None
    content: str
    status: Status
    reason: str | None = None
    citations: list[CitedDocument]
    unknown_citations: list[str]
    tool_calls: list[ToolUse]
    executions: list[str]
    pending_confirmation: PendingConfirmation | None = None
    tokens_used: int
    credits_used: float
    latency_ms: float


class AnswerEvent(BaseModel):
    """One `data:` of a streamed answer; `event_type` is its event's name. Each has the fields that it speaks of.

    `message` has the answer, whole: its citations are checked first. `done` is the last, and sums up.
    """

    model_config = ConfigDict(extra="allow")

    event_type: Literal[
        "session_name", "thinking", "tool_call", "tool_result", "retriever_execution", "confirmation_required",
        "message", "error", "done",
    ]  # fmt: skip
    message_id: str | None = None
    status: Status | None = None
    content: str | None = None
    citations: list[CitedDocument] | None = None
    unknown_citations: list[str] | None = None
    message: str | None = Field(None, description="What went wrong, or is being done.")
    tool_name: str | None = None
    tool_call_id: str | None = None
    inputs: Any | None = None
    output: str | None = None
    success: bool | None = None
    execution_id: str | None = None
    retriever_id: str | None = None
    documents_returned: int | None = None
    documents: list[CitedDocument] | None = None
    confirmation_id: str | None = None
    latency_ms: float | None = None
    session_name: str | None = None


class SubmitFeedbackRequest(BaseModel):
    message_id: str = Field(min_length=1)
    rating: str = Field(pattern="^(positive|negative)$")
    feedback_text: str | None = Field(None, max_length=10_000)


class SubmitFeedbackResponse(BaseModel):
    """stored: whether the exchange stays in what the model is told of earlier ones."""

    session_id: str
    message_id: str
    rating: str
    stored: bool
    recorded_at: datetime


def show_message(one: AgentMessage) -> MessageHistoryItem:
    use, feedback = one.tool, one.feedback
    return MessageHistoryItem(
        message_id=one.message_id,
        role=one.role,
        content=one.content,
        content_type="text" if use is None else "tool",
        timestamp=one.at,
        tool_name=use.name if use else None,
        tool_inputs=orjson.dumps(use.inputs).decode() if use else None,
        tool_outputs=use.shown if use else None,
        tool_status=use.status.value if use else None,
        answer_id=one.answers,
        status=one.status.value,
        reason=one.reason,
        execution_id=use.execution_id if use else None,
        documents=[show_cited(each) for each in use.documents] if use else [],
        citations=[show_cited(each) for each in one.citations],
        unknown_citations=list(one.unknown_citations),
        tokens_used=one.spent.tokens,
        credits_used=one.spent.credits,
        latency_ms=round(use.latency_ms if use else one.spent.latency_ms, 3),
        feedback=None
        if feedback is None
        else MessageFeedback(
            rating="positive" if feedback.is_positive else "negative",
            feedback_text=feedback.text,
            recorded_at=feedback.at,
        ),
        metadata=dict(one.metadata),
    )


def show_answer(answered: Answered) -> AnswerResponse:
    message, asked = answered.message, answered.confirmation
    return AnswerResponse(
        session_id=answered.session_id,
        message_id=message.message_id if message else None,
        content=message.content if message else "",
        status=(MessageStatus.AWAITING if message is None else message.status).value,
        reason=message.reason if message else None,
        citations=[show_cited(one) for one in message.citations] if message else [],
        unknown_citations=list(message.unknown_citations) if message else [],
        tool_calls=[_show_use(one) for one in answered.uses],
        executions=[one.execution_id for one in answered.uses if one.execution_id is not None],
        pending_confirmation=None
        if asked is None
        else PendingConfirmation(
            confirmation_id=asked.confirmation_id,
            tool_name=asked.tool,
            inputs=dict(asked.arguments),
            expires_at=asked.expires_at,
        ),
        tokens_used=answered.spent.tokens,
        credits_used=answered.spent.credits,
        latency_ms=round(answered.spent.latency_ms, 3),
    )


def show_cited(one: Shown) -> CitedDocument:
    return CitedDocument(
        label=one.label,
        document_id=one.document_id,
        collection_id=one.collection_id,
        retriever_id=one.retriever_id,
        execution_id=one.execution_id,
        score=one.score,
    )


def _show_use(use: Use) -> ToolUse:
    return ToolUse(
        tool_name=use.name,
        inputs=use.inputs,
        output=use.shown,
        status=use.status.value,
        execution_id=use.execution_id,
        documents=[show_cited(one) for one in use.documents],
        latency_ms=round(use.latency_ms, 3),
    )
