"""Conversations with a language model that runs retrievers, each call an execution with its record."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from tamis.api.access import RetrieverReader, service
from tamis.api.answer_streams import AnswerEvents
from tamis.api.answers import json_response
from tamis.api.bodies import JsonRoute
from tamis.api.departure import while_connected
from tamis.api.idempotency import HEADER as IDEMPOTENCY_KEY
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.agent_message import (
    AnswerEvent,
    AnswerResponse,
    ConfirmationRequest,
    GetHistoryResponse,
    SendMessageRequest,
    SubmitFeedbackRequest,
    SubmitFeedbackResponse,
    show_answer,
    show_message,
)
from tamis.api.schemas.agent_session import (
    CreateSessionRequest,
    CreateSessionResponse,
    GetSessionResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    ListToolsResponse,
    PatchSessionRequest,
    PatchSessionResponse,
    SessionStatus,
    TerminateSessionResponse,
    session_draft,
    show_created,
    show_session,
    show_tools,
)
from tamis.api.schemas.stream import event_content
from tamis.errors import BadRequestError
from tamis.model import agent_session
from tamis.model.principal import Principal
from tamis.services.agents.agent_sessions import AgentSessionService
from tamis.services.agents.answer_stream import AnswerStream
from tamis.services.agents.answering import AnsweringService, Begun
from tamis.services.runs.executions import ExecutionService

router = APIRouter(route_class=JsonRoute)

Sessions = Annotated[AgentSessionService, Depends(service(AgentSessionService))]
Answering = Annotated[AnsweringService, Depends(service(AnsweringService))]
Executions = Annotated[ExecutionService, Depends(service(ExecutionService))]
_PATH = "/v1/agents/sessions"
_ONE = f"{_PATH}/{{session_id}}"
_TAGS: list[str | Enum] = ["agent sessions"]
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": AnswerResponse,
        "description": "Server-sent events that end with `done`; with `stream: false`, the answer.",
        "content": event_content(AnswerEvent),
    }
}


@router.post(_PATH, tags=_TAGS)
async def create_session(
    principal: RetrieverReader, body: CreateSessionRequest, sessions: Sessions
) -> CreateSessionResponse:
    """Open a conversation: with which model, which retrievers and tools, and within which bounds."""
    made = await sessions.create(principal, session_draft(body))
    return show_created(made, principal.organization_id, principal.namespace_id)


@router.get(f"{_PATH}/tools", tags=_TAGS)
async def list_tools(principal: RetrieverReader, category: str | None = None) -> ListToolsResponse:
    """What a session's model can be let do; those that write ask a person each time."""
    return show_tools(category)


@router.post(f"{_PATH}/list", tags=_TAGS)
async def list_sessions(
    principal: RetrieverReader,
    request: Request,
    sessions: Sessions,
    paging: Paging,
    body: ListSessionsRequest | None = None,
) -> ListSessionsResponse:
    """The namespace's sessions, newest first where no order is asked for; a key to single retrievers sees its own."""
    query = paging.query(body)
    status = agent_session.SessionStatus(body.status.value) if body and body.status else None
    page = await sessions.list(principal, query, status)
    shown = [_shown(principal, one) for one in page.items]
    return ListSessionsResponse(
        sessions=shown, results=shown, total=page.total, pagination=pagination(page, request, query).model_dump()
    )


@router.get(_ONE, tags=_TAGS)
async def get_session(principal: RetrieverReader, session_id: str, sessions: Sessions) -> GetSessionResponse:
    """A session: how it was set up, where it stands, what it used."""
    return _shown(principal, await sessions.get(principal, session_id))


@router.patch(_ONE, tags=_TAGS)
async def patch_session(
    principal: RetrieverReader, session_id: str, body: PatchSessionRequest, sessions: Sessions
) -> PatchSessionResponse:
    """Put what is known of the person in place of what was."""
    after = await sessions.patch(principal, session_id, body.user_memory)
    return PatchSessionResponse(session_id=session_id, updated_at=after.updated_at)


@router.delete(_ONE, tags=_TAGS)
async def terminate_session(
    principal: RetrieverReader,
    session_id: str,
    sessions: Sessions,
    forget: Annotated[bool, Query(description="Delete what was said as well; needs the permission to delete.")] = False,
) -> TerminateSessionResponse:
    """End a session. What was said in it can be read until it expires, unless it is to be forgotten."""
    ended = await sessions.terminate(principal, session_id, forget)
    return TerminateSessionResponse(
        session_id=session_id,
        status=SessionStatus.TERMINATED,
        terminated_at=ended.terminated_at or ended.updated_at,
    )


@router.post(f"{_ONE}/messages", response_model=None, responses=_ANSWER, tags=_TAGS)
async def send_message(
    principal: RetrieverReader,
    request: Request,
    session_id: str,
    body: SendMessageRequest,
    answering: Answering,
    executions: Executions,
) -> Response:
    """Say something, and follow how it is answered."""
    _check_stream(request, body.stream)
    begun = await answering.begin(principal, session_id, body.content, body.metadata)
    return await _answered(request, begun, executions, body.stream)


@router.post(f"{_ONE}/confirmations/{{confirmation_id}}", response_model=None, responses=_ANSWER, tags=_TAGS)
async def respond_to_confirmation(
    principal: RetrieverReader,
    request: Request,
    session_id: str,
    confirmation_id: str,
    body: ConfirmationRequest,
    answering: Answering,
    executions: Executions,
) -> Response:
    """Agree to a write that the model asked for, or decline it; the answer goes on from there."""
    _check_stream(request, body.stream)
    begun = await answering.confirm(principal, session_id, confirmation_id, body.approved)
    return await _answered(request, begun, executions, body.stream)


@router.get(f"{_ONE}/history", tags=_TAGS)
async def get_history(
    principal: RetrieverReader,
    session_id: str,
    sessions: Sessions,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> GetHistoryResponse:
    """What was said, oldest first: questions, calls of tools, answers."""
    page = await sessions.history(principal, session_id, limit, offset)
    return GetHistoryResponse(
        session_id=session_id,
        messages=[show_message(one) for one in page.items],
        total_messages=page.total,
        returned_messages=len(page.items),
        has_more=offset + len(page.items) < page.total,
    )


@router.post(f"{_ONE}/feedback", tags=_TAGS)
async def submit_feedback(
    principal: RetrieverReader, session_id: str, body: SubmitFeedbackRequest, sessions: Sessions
) -> SubmitFeedbackResponse:
    """Rate an answer. One that is rated negative is left out of what the model is told of earlier."""
    is_positive = body.rating == "positive"
    rated = await sessions.rate(principal, session_id, body.message_id, is_positive, body.feedback_text)
    recorded_at = rated.feedback.at if rated.feedback else rated.at
    return SubmitFeedbackResponse(
        session_id=session_id,
        message_id=rated.message_id,
        rating=body.rating,
        stored=is_positive,
        recorded_at=recorded_at,
    )


async def _answered(request: Request, begun: Begun, executions: ExecutionService, is_streamed: bool) -> Response:
    if is_streamed:
        streaming = executions.streaming
        return AnswerEvents(AnswerStream(begun, streaming.heartbeat_s), streaming.stall_s)
    answered = await while_connected(request, begun.run(lambda *_: None))
    return json_response(show_answer(answered).model_dump(mode="json"))


def _check_stream(request: Request, is_streamed: bool) -> None:
    """Raises: BadRequestError."""
    if is_streamed and IDEMPOTENCY_KEY in request.headers:
        message = f"a streamed answer cannot be kept for {IDEMPOTENCY_KEY}: leave out the header, or do not stream"
        raise BadRequestError(message, header=IDEMPOTENCY_KEY)


def _shown(principal: Principal, one: agent_session.AgentSession) -> GetSessionResponse:
    return show_session(one, principal.organization_id, principal.namespace_id, datetime.now(UTC))
