"""A conversation with a language model that may run some retrievers: what it is, where it stands, what was said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tamis.model.json import JSON
from tamis.model.principal import Principal

IDLE_AFTER = timedelta(minutes=30)


class SessionStatus(StrEnum):
    """IDLE: nothing was said for a while.  ARCHIVED: its time is over; it can be read, not gone on with."""

    ACTIVE = "active"
    IDLE = "idle"
    ARCHIVED = "archived"
    TERMINATED = "terminated"


class SessionState(StrEnum):
    """What happens in it now. ANSWERING: some server works at a message.  ASKING: a person is to confirm a write."""

    OPEN = "open"
    ANSWERING = "answering"
    ASKING = "asking"
    TERMINATED = "terminated"


class MessageStatus(StrEnum):
    """Of an answer. CUT: a limit was met first.  INTERRUPTED: the server stopped at it.  CANCELLED: the caller left.

    Of a tool's call: COMPLETE, FAILED, AWAITING a confirmation, DECLINED by a person, or LAPSED without an answer.
    """

    COMPLETE = "complete"
    CUT = "cut"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    AWAITING = "awaiting_confirmation"
    DECLINED = "declined"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """model, provider: as a stage names them; None is the operator's default.  api_key: a secret's reference.

    max_tokens: of one answer of the model.  tools: names; empty is all that only read.
    retrievers: ids of the chosen; empty is all that the asking key sees and that reach nothing outside.
    max_steps, timeout_s: for the answer to one message.
    """

    model: str | None = None
    provider: str | None = None
    api_key: str | None = None
    temperature: float = 0.7
    max_tokens: int = 4096
    system_prompt: str = ""
    tools: tuple[str, ...] = ()
    retrievers: tuple[str, ...] = ()
    max_steps: int = 8
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class SessionQuotas:
    """Of the whole session; None bounds nothing. messages: of people.  minutes: from its beginning on."""

    messages: int | None = None
    tokens: int | None = None
    tool_calls: int | None = None
    minutes: int | None = None
    messages_per_minute: int | None = None
    credits: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """So far, over all messages. latency_ms: of all answers together."""

    answers: int = 0
    tokens: int = 0
    tool_calls: int = 0
    credits: float = 0.0
    latency_ms: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        return Spent(
            self.answers + other.answers,
            self.tokens + other.tokens,
            self.tool_calls + other.tool_calls,
            round(self.credits + other.credits, 9),
            self.latency_ms + other.latency_ms,
        )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A write that a person is to allow. arguments: of the tool, checked."""

    confirmation_id: str
    tool: str
    arguments: Mapping[str, JSON]
    message_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A message that is being answered. message_id: of the answer to come.  steps: answers of the model so far."""

    message_id: str
    began_at: datetime
    steps: int = 0
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class AgentSession:
    """key_id: who opened it; a key to single retrievers sees its own sessions alone.  places: messages stored so far.

    documents: how many were shown to the model, which names them by their number.
    """

    session_id: str
    config: AgentConfig
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    expires_at: datetime
    key_id: str = ""
    user_id: str | None = None
    name: str | None = None
    user_memory: Mapping[str, JSON] = field(default_factory=dict)
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    quotas: SessionQuotas = SessionQuotas()
    remembers: bool = True
    state: SessionState = SessionState.OPEN
    turn: Turn | None = None
    messages: int = 0
    places: int = 0
    documents: int = 0
    spent: Spent = Spent()
    terminated_at: datetime | None = None

    def status(self, now: datetime) -> SessionStatus:
        if self.state is SessionState.TERMINATED:
            return SessionStatus.TERMINATED
        if self.is_over(now):
            return SessionStatus.ARCHIVED
        return SessionStatus.IDLE if now - self.last_activity_at > IDLE_AFTER else SessionStatus.ACTIVE

    def is_over(self, now: datetime) -> bool:
        minutes = self.quotas.minutes
        ends = self.expires_at if minutes is None else self.created_at + timedelta(minutes=minutes)
        return now >= min(ends, self.expires_at)

    def is_seen_by(self, principal: Principal) -> bool:
        return principal.sees_namespace(principal.namespace_id) or self.key_id == principal.key_id


@dataclass(frozen=True, slots=True)
class Shown:
    """A document that a tool brought. label: what the model calls it, as D3.  execution_id: of the run that did."""

    label: str
    document_id: str
    collection_id: str
    retriever_id: str
    execution_id: str
    score: float


@dataclass(frozen=True, slots=True)
class ToolUse:
    """inputs: as the model gave them.  shown: what it was shown of the outcome, documents fenced."""

    name: str
    inputs: JSON
    shown: str
    status: MessageStatus
    execution_id: str | None = None
    documents: tuple[Shown, ...] = ()
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Feedback:
    is_positive: bool
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """role: user, assistant or tool.  place: in its session, from 0.  answers: the id of the answer it belongs to.

    citations: of documents that tools brought in this session.  unknown_citations: those that were dropped.
    reason: why an answer is not complete.
    """

    message_id: str
    place: int
    role: str
    content: str
    at: datetime
    answers: str
    status: MessageStatus = MessageStatus.COMPLETE
    tool: ToolUse | None = None
    citations: tuple[Shown, ...] = ()
    unknown_citations: tuple[str, ...] = ()
    reason: str | None = None
    spent: Spent = Spent()
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    feedback: Feedback | None = None
