"""Sessions with agents on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator

from tamis.api.paging import ListRequest
from tamis.engine.ports.secrets import secret_name
from tamis.errors import ValidationError
from tamis.model.agent_session import AgentConfig as Config
from tamis.model.agent_session import AgentSession
from tamis.model.agent_session import SessionQuotas as Quotas
from tamis.services.agents.agent_sessions import SessionDraft
from tamis.services.agents.agent_tools import KINDS, ToolKind

Count = Annotated[int, Field(ge=1)]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=50)]


class SessionStatus(StrEnum):
    ACTIVE = "active"
    IDLE = "idle"
    ARCHIVED = "archived"
    TERMINATED = "terminated"


class AgentConfig(BaseModel):
    model: str | None = Field(
        None, min_length=1, description="By its provider's name, or as provider/model; else the operator's default."
    )
    temperature: float = Field(0.7, ge=0.0, le=2.0)
    max_tokens: int = Field(4096, ge=1, le=100_000, description="Of each of the model's answers.")
    system_prompt: str = Field("", max_length=20_000, description="What the model is told it is for; ours if empty.")
    available_tools: Names = Field(
        default_factory=list, description="Tools by name; empty is all that only read. See the list of tools."
    )
    retrievers: Names = Field(
        default_factory=list,
        description="Retrievers that it may run, by id or name; empty is those of the asking key that reach nothing "
        "outside.",
    )
    provider: str | None = Field(None, min_length=1)
    api_key: str | None = Field(None, description="A secret of the organisation's, by name or as {{SECRET.name}}.")
    max_steps: int = Field(8, ge=1, le=30, description="Answers of the model to one message; the last must be final.")
    timeout_seconds: float = Field(120.0, ge=1, le=600, description="For the answer to one message.")

    @field_validator("api_key")
    @classmethod
    def _is_a_reference(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                secret_name(value)
            except ValidationError as error:
                raise ValueError(error.message) from None
        return value


class SessionQuotas(BaseModel):
    max_messages: Count | None = None
    max_tokens_total: Count | None = None
    max_tool_calls: Count | None = None
    max_session_duration_minutes: Count | None = None
    rate_limit_messages_per_minute: Count | None = None
    max_credits: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Of the model's calls and of the executions together."
    )


class CreateSessionRequest(BaseModel):
    agent_config: AgentConfig
    quotas: SessionQuotas | None = None
    user_id: Annotated[str, Field(max_length=255)] | None = None
    user_memory: dict[str, Any] = Field(
        default_factory=dict, description="What is known of the person; the model reads it."
    )
    metadata: dict[str, Any] = Field(default_factory=dict)
    enable_memory: bool = Field(True, description="Whether the model is told what was said before.")


class CreateSessionResponse(BaseModel):
    session_id: str
    namespace_id: str
    internal_id: str
    session_name: str | None = None
    status: SessionStatus
    created_at: datetime
    expires_at: datetime


class SessionStats(BaseModel):
    total_messages: int = Field(0, ge=0)
    total_tokens: int = Field(0, ge=0)
    total_tool_calls: int = Field(0, ge=0)
    avg_latency_ms: float = Field(0.0, ge=0.0)
    total_credits: float = Field(0.0, ge=0.0)


class PendingConfirmation(BaseModel):
    confirmation_id: str
    tool_name: str
    inputs: dict[str, Any]
    expires_at: datetime


class GetSessionResponse(BaseModel):
    session_id: str
    namespace_id: str
    internal_id: str
    user_id: str | None = None
    session_name: str | None = None
    agent_config: AgentConfig
    quotas: SessionQuotas = Field(default_factory=SessionQuotas)
    user_memory: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)
    enable_memory: bool = True
    status: SessionStatus
    state: Literal["open", "answering", "asking", "terminated"]
    pending_confirmation: PendingConfirmation | None = None
    message_count: int
    stats: SessionStats
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    expires_at: datetime


class ListSessionsRequest(ListRequest):
    status: SessionStatus | None = None


class ListSessionsResponse(BaseModel):
    sessions: list[GetSessionResponse]
    results: list[GetSessionResponse]
    total: int
    pagination: dict[str, Any]


class PatchSessionRequest(BaseModel):
    user_memory: dict[str, Any]


class PatchSessionResponse(BaseModel):
    session_id: str
    updated_at: datetime


class TerminateSessionResponse(BaseModel):
    session_id: str
    status: SessionStatus
    terminated_at: datetime


class ToolInfo(BaseModel):
    name: str
    description: str
    category: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    required_params: list[str] = Field(default_factory=list)
    requires_confirmation: bool = False


class ListToolsResponse(BaseModel):
    results: list[ToolInfo]
    total: int
    categories: list[str]


def session_draft(body: CreateSessionRequest) -> SessionDraft:
    asked, quotas = body.agent_config, body.quotas or SessionQuotas()
    config = Config(
        asked.model, asked.provider, asked.api_key, asked.temperature, asked.max_tokens, asked.system_prompt,
        tuple(dict.fromkeys(asked.available_tools)), tuple(asked.retrievers), asked.max_steps, asked.timeout_seconds,
    )  # fmt: skip
    bounds = Quotas(
        quotas.max_messages, quotas.max_tokens_total, quotas.max_tool_calls, quotas.max_session_duration_minutes,
        quotas.rate_limit_messages_per_minute, quotas.max_credits,
    )  # fmt: skip
    return SessionDraft(config, bounds, body.user_id, body.user_memory, body.metadata, body.enable_memory)


def show_created(one: AgentSession, organization_id: str, namespace_id: str) -> CreateSessionResponse:
    return CreateSessionResponse(
        session_id=one.session_id,
        namespace_id=namespace_id,
        internal_id=organization_id,
        session_name=one.name,
        status=SessionStatus(one.status(one.created_at).value),
        created_at=one.created_at,
        expires_at=one.expires_at,
    )


def show_session(one: AgentSession, organization_id: str, namespace_id: str, now: datetime) -> GetSessionResponse:
    return GetSessionResponse(
        session_id=one.session_id,
        namespace_id=namespace_id,
        internal_id=organization_id,
        user_id=one.user_id,
        session_name=one.name,
        agent_config=_show_config(one.config),
        quotas=_show_quotas(one.quotas),
        user_memory=dict(one.user_memory),
        metadata=dict(one.metadata),
        enable_memory=one.remembers,
        status=SessionStatus(one.status(now).value),
        state=one.state.value,
        pending_confirmation=_show_pending(one),
        message_count=one.messages,
        stats=_show_stats(one),
        created_at=one.created_at,
        updated_at=one.updated_at,
        last_activity_at=one.last_activity_at,
        expires_at=one.expires_at,
    )


def show_tools(category: str | None) -> ListToolsResponse:
    every = [_show_tool(kind) for kind in KINDS.values()]
    shown = [one for one in every if category in (None, one.category)]
    return ListToolsResponse(
        results=shown, total=len(shown), categories=list(dict.fromkeys(one.category for one in every))
    )


def _show_config(config: Config) -> AgentConfig:
    return AgentConfig(
        model=config.model,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        system_prompt=config.system_prompt,
        available_tools=list(config.tools),
        retrievers=list(config.retrievers),
        provider=config.provider,
        api_key=config.api_key,
        max_steps=config.max_steps,
        timeout_seconds=config.timeout_s,
    )


def _show_quotas(quotas: Quotas) -> SessionQuotas:
    return SessionQuotas(
        max_messages=quotas.messages,
        max_tokens_total=quotas.tokens,
        max_tool_calls=quotas.tool_calls,
        max_session_duration_minutes=quotas.minutes,
        rate_limit_messages_per_minute=quotas.messages_per_minute,
        max_credits=quotas.credits,
    )


def _show_stats(one: AgentSession) -> SessionStats:
    spent = one.spent
    return SessionStats(
        total_messages=one.messages,
        total_tokens=spent.tokens,
        total_tool_calls=spent.tool_calls,
        avg_latency_ms=round(spent.latency_ms / spent.answers, 3) if spent.answers else 0.0,
        total_credits=spent.credits,
    )


def _show_pending(one: AgentSession) -> PendingConfirmation | None:
    asked = one.turn.confirmation if one.turn else None
    if asked is None:
        return None
    return PendingConfirmation(
        confirmation_id=asked.confirmation_id,
        tool_name=asked.tool,
        inputs=dict(asked.arguments),
        expires_at=asked.expires_at,
    )


def _show_tool(kind: ToolKind) -> ToolInfo:
    schema = kind.Arguments.model_json_schema()
    return ToolInfo(
        name=kind.name,
        description=kind.description,
        category=kind.category,
        parameters=schema.get("properties", {}),
        required_params=schema.get("required", []),
        requires_confirmation=kind.writes,
    )
