# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `sessions`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_sessions import (
        AnswerEvent,
        AnswerResponse,
        ConfirmationRequest,
        CreateSessionRequest,
        CreateSessionResponse,
        GetHistoryResponse,
        GetSessionResponse,
        ListSessionsRequest,
        ListSessionsResponse,
        ListToolsResponse,
        PatchSessionRequest,
        PatchSessionResponse,
        SendMessageRequest,
        SubmitFeedbackRequest,
        SubmitFeedbackResponse,
        TerminateSessionResponse,
    )


class Sessions(Noun):
    def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateSessionRequest]
    ) -> CreateSessionResponse:
        """Open a conversation: with which model, which retrievers and tools, and within which bounds."""
        return self._ask(Call("POST", "/agents/sessions", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListSessionsRequest]) -> ListSessionsResponse:
        """The namespace's sessions, newest first where no order is asked for; a key to single retrievers sees its
        own.
        """
        return self._ask(Call("POST", "/agents/sessions/list", body=body, is_reading=True))

    def list_tools(self, *, category: str | None = None) -> ListToolsResponse:
        """What a session's model can be let do; those that write ask a person each time."""
        return self._ask(Call("GET", "/agents/sessions/tools", query={"category": category}))

    def terminate(self, session_id: str, *, forget: bool | None = None) -> TerminateSessionResponse:
        """End a session. What was said in it can be read until it expires, unless it is to be forgotten."""
        return self._ask(Call("DELETE", f"/agents/sessions/{part(session_id)}", query={"forget": forget}))

    def get(self, session_id: str) -> GetSessionResponse:
        """A session: how it was set up, where it stands, what it used."""
        return self._ask(Call("GET", f"/agents/sessions/{part(session_id)}"))

    def patch(self, session_id: str, **body: Unpack[PatchSessionRequest]) -> PatchSessionResponse:
        """Put what is known of the person in place of what was."""
        return self._ask(Call("PATCH", f"/agents/sessions/{part(session_id)}", body=body))

    def respond_to_confirmation(
        self,
        session_id: str,
        confirmation_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[ConfirmationRequest],
    ) -> AnswerResponse:
        """Agree to a write that the model asked for, or decline it; the answer goes on from there."""
        return self._ask(
            Call(
                "POST",
                f"/agents/sessions/{part(session_id)}/confirmations/{part(confirmation_id)}",
                body={**body, "stream": False},
                key=idempotency_key or "",
            )
        )

    def stream_confirmation(
        self, session_id: str, confirmation_id: str, **body: Unpack[ConfirmationRequest]
    ) -> Generator[AnswerEvent, None, None]:
        """As `respond_to_confirmation`, event by event as it happens; closing it cancels the work."""
        return self._events(
            Call(
                "POST",
                f"/agents/sessions/{part(session_id)}/confirmations/{part(confirmation_id)}",
                body={**body, "stream": True},
            )
        )

    def submit_feedback(
        self, session_id: str, *, idempotency_key: str | None = None, **body: Unpack[SubmitFeedbackRequest]
    ) -> SubmitFeedbackResponse:
        """Rate an answer. One that is rated negative is left out of what the model is told of earlier."""
        return self._ask(
            Call("POST", f"/agents/sessions/{part(session_id)}/feedback", body=body, key=idempotency_key or "")
        )

    def get_history(
        self, session_id: str, *, limit: int | None = None, offset: int | None = None
    ) -> GetHistoryResponse:
        """What was said, oldest first: questions, calls of tools, answers."""
        return self._ask(
            Call("GET", f"/agents/sessions/{part(session_id)}/history", query={"limit": limit, "offset": offset})
        )

    def send_message(
        self, session_id: str, *, idempotency_key: str | None = None, **body: Unpack[SendMessageRequest]
    ) -> AnswerResponse:
        """Say something, and follow how it is answered."""
        return self._ask(
            Call(
                "POST",
                f"/agents/sessions/{part(session_id)}/messages",
                body={**body, "stream": False},
                key=idempotency_key or "",
            )
        )

    def stream_message(self, session_id: str, **body: Unpack[SendMessageRequest]) -> Generator[AnswerEvent, None, None]:
        """As `send_message`, event by event as it happens; closing it cancels the work."""
        return self._events(
            Call("POST", f"/agents/sessions/{part(session_id)}/messages", body={**body, "stream": True})
        )


class AsyncSessions(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateSessionRequest]
    ) -> CreateSessionResponse:
        """Open a conversation: with which model, which retrievers and tools, and within which bounds."""
        return await self._ask(Call("POST", "/agents/sessions", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListSessionsRequest]) -> ListSessionsResponse:
        """The namespace's sessions, newest first where no order is asked for; a key to single retrievers sees its
        own.
        """
        return await self._ask(Call("POST", "/agents/sessions/list", body=body, is_reading=True))

    async def list_tools(self, *, category: str | None = None) -> ListToolsResponse:
        """What a session's model can be let do; those that write ask a person each time."""
        return await self._ask(Call("GET", "/agents/sessions/tools", query={"category": category}))

    async def terminate(self, session_id: str, *, forget: bool | None = None) -> TerminateSessionResponse:
        """End a session. What was said in it can be read until it expires, unless it is to be forgotten."""
        return await self._ask(Call("DELETE", f"/agents/sessions/{part(session_id)}", query={"forget": forget}))

    async def get(self, session_id: str) -> GetSessionResponse:
        """A session: how it was set up, where it stands, what it used."""
        return await self._ask(Call("GET", f"/agents/sessions/{part(session_id)}"))

    async def patch(self, session_id: str, **body: Unpack[PatchSessionRequest]) -> PatchSessionResponse:
        """Put what is known of the person in place of what was."""
        return await self._ask(Call("PATCH", f"/agents/sessions/{part(session_id)}", body=body))

    async def respond_to_confirmation(
        self,
        session_id: str,
        confirmation_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[ConfirmationRequest],
    ) -> AnswerResponse:
        """Agree to a write that the model asked for, or decline it; the answer goes on from there."""
        return await self._ask(
            Call(
                "POST",
                f"/agents/sessions/{part(session_id)}/confirmations/{part(confirmation_id)}",
                body={**body, "stream": False},
                key=idempotency_key or "",
            )
        )

    def stream_confirmation(
        self, session_id: str, confirmation_id: str, **body: Unpack[ConfirmationRequest]
    ) -> AsyncGenerator[AnswerEvent, None]:
        """As `respond_to_confirmation`, event by event as it happens; closing it cancels the work."""
        return self._events(
            Call(
                "POST",
                f"/agents/sessions/{part(session_id)}/confirmations/{part(confirmation_id)}",
                body={**body, "stream": True},
            )
        )

    async def submit_feedback(
        self, session_id: str, *, idempotency_key: str | None = None, **body: Unpack[SubmitFeedbackRequest]
    ) -> SubmitFeedbackResponse:
        """Rate an answer. One that is rated negative is left out of what the model is told of earlier."""
        return await self._ask(
            Call("POST", f"/agents/sessions/{part(session_id)}/feedback", body=body, key=idempotency_key or "")
        )

    async def get_history(
        self, session_id: str, *, limit: int | None = None, offset: int | None = None
    ) -> GetHistoryResponse:
        """What was said, oldest first: questions, calls of tools, answers."""
        return await self._ask(
            Call("GET", f"/agents/sessions/{part(session_id)}/history", query={"limit": limit, "offset": offset})
        )

    async def send_message(
        self, session_id: str, *, idempotency_key: str | None = None, **body: Unpack[SendMessageRequest]
    ) -> AnswerResponse:
        """Say something, and follow how it is answered."""
        return await self._ask(
            Call(
                "POST",
                f"/agents/sessions/{part(session_id)}/messages",
                body={**body, "stream": False},
                key=idempotency_key or "",
            )
        )

    def stream_message(self, session_id: str, **body: Unpack[SendMessageRequest]) -> AsyncGenerator[AnswerEvent, None]:
        """As `send_message`, event by event as it happens; closing it cancels the work."""
        return self._events(
            Call("POST", f"/agents/sessions/{part(session_id)}/messages", body={**body, "stream": True})
        )
