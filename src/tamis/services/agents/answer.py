"""One answer: the model's steps, the tools that it calls, and what is left of them."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from tamis.engine.language.agent import Agent, Course, Ending, Limits, Model, Step, ToolError, Watch
from tamis.engine.needs import Need
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels, Prompt, Reply
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price
from tamis.engine.stage import Effect, Stage, effects_of
from tamis.errors import AllowanceSpentError, ConflictError, TamisError
from tamis.model.agent_session import (
    AgentMessage,
    AgentSession,
    Confirmation,
    MessageStatus,
    Shown,
    Spent,
    ToolUse,
    Turn,
)
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.agents import turns
from tamis.services.agents.agent_tools import Brought, ConfirmationNeededError, Reached, Toolbox
from tamis.services.agents.citations import cited
from tamis.services.agents.conversation import ANSWER, LAST_SAID, dialogue, shown_in, task
from tamis.services.runs.turns import Turns

log = logging.getLogger("tamis.agents")
Tell: TypeAlias = Callable[[str, Mapping[str, JSON]], None]
"""Is told each event by its name as it happens; it never waits."""
CHARGED_AS = "conversation"
"""Among what the organisation's credits went to: the model's calls; executions are charged as what they are."""
_MOST_RETRIEVERS = 20
_TOLD_CHARACTERS = 2_000
_REASONS = {
    Ending.TURNS: "the model's steps for one message were used up",
    Ending.TIME: "the time for one message was over",
    Ending.TOKENS: "the session's max_tokens_total was met",
}


class CutError(Exception):
    """A limit of the session was met in the midst of an answer."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Whom an answer takes. price: of the model's calls and tokens.  stages: by id, to know which reach outside."""

    metadata: Metadata
    language: LanguageModels
    reached: Reached
    turns: Turns
    price: Price
    stages: Mapping[str, type[Stage]]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that waited for a person's word, as it stands in the session, and the word."""

    waiting: AgentMessage
    is_approved: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """message: None where a confirmation is asked for first.  uses: of tools, in order, of this request alone."""

    session_id: str
    message: AgentMessage | None
    confirmation: Confirmation | None
    uses: tuple[ToolUse, ...]
    spent: Spent


class _Told(Watch):
    """Stores and tells each step."""

    def __init__(self, answer: "Answer", tell: Tell) -> None:
        self._answer = answer
        self._tell = tell
        self._began_ms = 0.0
        self._call_id = ""

    async def chosen(self, step: Step) -> None:
        self._answer.check_calls()
        self._answer.toolbox.brought = Brought()
        self._began_ms, self._call_id = self._answer.crew.clock.monotonic_ms(), new_id("call")
        self._tell("tool_call", {"tool_name": step.tool, "tool_call_id": self._call_id, "inputs": step.arguments})

    async def taken(self, step: Step, seen: str) -> None:
        latency_ms = self._answer.crew.clock.monotonic_ms() - self._began_ms
        status = MessageStatus.COMPLETE if step.error is None else MessageStatus.FAILED
        use = await self._answer.note(step.tool, step.arguments, seen, status, latency_ms)
        tell_use(self._tell, use, self._call_id, self._answer)


class Answer:
    """asked: the call that waited, where a confirmation is what goes on with it.  is_first: of the session."""

    def __init__(
        self, crew: Crew, principal: Principal, found: AgentSession, asked: Asked | None, is_first: bool
    ) -> None:
        if found.turn is None:
            raise ValueError("a session in which nothing is answered")
        self.crew = crew
        self.toolbox: Toolbox
        self.retrievers: Sequence[Retriever] = ()
        self._principal = principal
        self._session = found
        self._turn: Turn = found.turn
        self._asked = asked
        self._is_first = is_first
        self._began_ms = crew.clock.monotonic_ms()
        credits, self._tokens_left, self._calls_left = turns.left_of(found)
        self._allowance = Allowance(crew.price, credits)
        self._course = Course()
        self._uses: list[ToolUse] = []
        self._noted = Spent()
        self._charged = 0.0

    async def make(self, tell: Tell) -> Answered:
        """Raises: ConflictError where the session was closed meanwhile; whatever else goes wrong is the answer's."""
        try:
            return await self._whatever_comes(tell)
        except asyncio.CancelledError:
            with suppress(ConflictError):
                await self._close(MessageStatus.CANCELLED, "the caller left before the answer was made")
            raise
        except ConflictError as error:
            tell("error", {"message": error.message, "recoverable": False})
            cancelled = MessageStatus.CANCELLED.value
            tell(
                "done",
                {"session_id": self._session.session_id, "message_id": self._turn.message_id, "status": cancelled},
            )
            raise

    async def _whatever_comes(self, tell: Tell) -> Answered:
        try:
            return await self._made(tell)
        except ConflictError:
            raise
        except CutError as error:
            return await self._end(tell, MessageStatus.CUT, reason=str(error))
        except TamisError as error:
            return await self._end(tell, MessageStatus.FAILED, reason=error.message)
        except Exception:
            log.exception("an answer in session %s failed", self._session.session_id)
            return await self._end(tell, MessageStatus.FAILED, reason="the server failed; its log says how")

    async def _made(self, tell: Tell) -> Answered:
        if self._is_first:
            tell("session_name", {"session_name": self._session.name})
        said = await self.crew.metadata.read(self._read)
        known = shown_in(said)
        self.toolbox = Toolbox(
            self._principal, self.crew.reached, self.retrievers, self._allowance, known, self._session.documents,
            self._session.session_id,
        )  # fmt: skip
        if self._asked is not None:
            await self._heed(self._asked, tell)
            said = await self.crew.metadata.read(self._read)
        try:
            course = await self._converse(said, tell)
        except ConfirmationNeededError as needed:
            return await self._ask_person(needed, tell)
        return await self._answered(course, tell)

    def _read(self, session: Session) -> Sequence[AgentMessage]:
        """What was said; and which retrievers the model may run."""
        chosen = self._session.config.retrievers
        if chosen:
            found = (session.retrievers.get(self._principal, one) for one in chosen)
            self.retrievers = [one for one in found if one is not None]
        else:
            every = session.retrievers.list(self._principal)
            self.retrievers = [one for one in every if not reaches_out(one, self.crew.stages)][:_MOST_RETRIEVERS]
        return session.agent_sessions.last_said(self._principal, self._session.session_id, LAST_SAID)

    async def _converse(self, said: Sequence[AgentMessage], tell: Tell) -> Course:
        config = self._session.config
        agent = Agent(
            Model(config.provider, config.model, config.api_key, config.temperature),
            self.toolbox.tools(config.tools),
            Limits(max(1, config.max_steps - self._turn.steps), config.timeout_s, self._tokens_left),
            ANSWER,
            self._course,
            config.max_tokens,
            _Told(self, tell),
        )
        messages = [
            agent.told(task(self._session, self.retrievers)),
            *dialogue(self._session, said, self._turn.message_id),
        ]

        async def ask(prompt: Prompt) -> Reply:
            tell("thinking", {"step": self._turn.steps + self._course.turns + 1, "message": "the model is asked"})
            async with self.crew.turns.taken(self._principal):
                return await self.crew.language.ask(self._principal, prompt, self._allowance)

        return await agent.go_on(messages, ask)

    def check_calls(self) -> None:
        """Raises: CutError."""
        if self._calls_left is not None and len(self._uses) >= self._calls_left:
            raise CutError("the session's max_tool_calls was met")

    async def note(
        self, name: str, inputs: JSON, seen: str, status: MessageStatus, latency_ms: float, place: int | None = None
    ) -> ToolUse:
        """Store a call of a tool, with what it and the steps to it cost."""
        brought = self.toolbox.brought
        use = ToolUse(name, inputs, seen, status, brought.execution_id, brought.documents, latency_ms)
        spent, turn, cost = self._since_noted(calls=1), self._turn_now(), self._uncharged()

        def note(session: Session) -> AgentSession:
            self._charge(session, cost)
            return turns.stepped(
                session, self._principal, self._session.session_id, turn, use, spent, self.toolbox.numbered,
                self.crew.clock.now(), place,
            )  # fmt: skip

        await self.crew.metadata.write(note)
        self._uses.append(use)
        return use

    async def _heed(self, asked: Asked, tell: Tell) -> None:
        """Do what a person agreed to, or note that he did not."""
        waiting = asked.waiting.tool
        if waiting is None:
            raise ValueError("a call that waits names its tool")
        began_ms, call_id = self.crew.clock.monotonic_ms(), new_id("call")
        inputs = waiting.inputs if isinstance(waiting.inputs, dict) else {}
        status, seen = MessageStatus.DECLINED, "The person declined. Do not try it again; go on without."
        if asked.is_approved:
            tell("tool_call", {"tool_name": waiting.name, "tool_call_id": call_id, "inputs": inputs})
            try:
                status, seen = MessageStatus.COMPLETE, await self.toolbox.perform(waiting.name, inputs)
            except ToolError as error:
                status, seen = MessageStatus.FAILED, f"The tool refused: {error}"
        latency_ms = self.crew.clock.monotonic_ms() - began_ms
        use = await self.note(waiting.name, inputs, seen, status, latency_ms, asked.waiting.place)
        tell_use(tell, use, call_id, self)

    async def _ask_person(self, needed: ConfirmationNeededError, tell: Tell) -> Answered:
        spent, turn, cost = self._since_noted(calls=0), self._turn_now(), self._uncharged()

        def ask(session: Session) -> AgentSession:
            self._charge(session, cost)
            return turns.asked(
                session, self._principal, self._session.session_id, turn, needed.tool, needed.arguments, spent,
                self.crew.clock.now(),
            )  # fmt: skip

        after = await self.crew.metadata.write(ask)
        confirmation = after.turn.confirmation if after.turn else None
        answered = Answered(self._session.session_id, None, confirmation, tuple(self._uses), self._noted)
        if confirmation is not None:
            told: dict[str, JSON] = {
                "confirmation_id": confirmation.confirmation_id,
                "tool_name": confirmation.tool,
                "inputs": dict(confirmation.arguments),
                "expires_at": confirmation.expires_at.isoformat(),
            }
            tell("confirmation_required", told)
        tell("done", self._outline(answered))
        return answered

    async def _answered(self, course: Course, tell: Tell) -> Answered:
        if isinstance(course.error, AllowanceSpentError):
            raise CutError("the session's max_credits were met")
        if course.error is not None:
            raise course.error
        if course.ending is not Ending.FINISHED or not isinstance(course.answer, dict):
            raise CutError(_REASONS.get(course.ending, "the model gave no answer"))
        named = course.answer.get("citations")
        names = [str(one) for one in named] if isinstance(named, list) else []
        checked = cited(str(course.answer.get("text", "")), names, self.toolbox.known)
        return await self._end(tell, MessageStatus.COMPLETE, checked.text, checked.citations, checked.unknown)

    async def _end(
        self, tell: Tell, status: MessageStatus, text: str = "", citations: tuple[Shown, ...] = (),
        unknown: tuple[str, ...] = (), reason: str | None = None,
    ) -> Answered:  # fmt: skip
        """Raises: ConflictError where the session was closed meanwhile."""
        message = await self._close(status, reason, text, citations, unknown)
        answered = Answered(self._session.session_id, message, None, tuple(self._uses), self._noted)
        told: dict[str, JSON] = {
            "content": text,
            "message_id": message.message_id,
            "is_final": True,
            "status": status.value,
            "citations": [shown_document(one) for one in citations],
            "unknown_citations": list(unknown),
        }
        tell("message", told) if status is MessageStatus.COMPLETE else tell(
            "error",
            {"message": reason or "", "recoverable": True, "status": status.value, "message_id": message.message_id},
        )
        tell("done", self._outline(answered))
        return answered

    async def _close(
        self, status: MessageStatus, reason: str | None, text: str = "", citations: tuple[Shown, ...] = (),
        unknown: tuple[str, ...] = (),
    ) -> AgentMessage:  # fmt: skip
        now, spent = self.crew.clock.now(), self._since_noted(calls=0, is_end=True)
        message = AgentMessage(
            self._turn.message_id, 0, "assistant", text, now, self._turn.message_id, status, citations=citations,
            unknown_citations=unknown, reason=reason, spent=self._noted,
        )  # fmt: skip

        cost = self._uncharged()

        def end(session: Session) -> AgentMessage:
            self._charge(session, cost)
            return turns.ended(session, self._principal, self._session.session_id, self._turn, message, spent)

        return await self.crew.metadata.write(end)

    def _since_noted(self, calls: int, is_end: bool = False) -> Spent:
        """What was used since it was last stored. An answer that was refused, or broken off, was paid for as well."""
        total = Spent(
            int(is_end),
            self._allowance.tokens,
            self._noted.tool_calls + calls,
            self._allowance.credits,
            self.crew.clock.monotonic_ms() - self._began_ms,
        )
        before, self._noted = self._noted, total
        return Spent(
            total.answers - before.answers,
            total.tokens - before.tokens,
            total.tool_calls - before.tool_calls,
            total.credits - before.credits,
            total.latency_ms - before.latency_ms,
        )

    def _uncharged(self) -> float:
        """What the model's calls have cost the organisation since it was last charged."""
        own = self._allowance.credits - self._allowance.paid
        cost, self._charged = own - self._charged, own
        self.crew.turns.spent(self._principal, cost)
        return cost

    def _charge(self, session: Session, cost: float) -> None:
        session.credits.charge(self._principal, CHARGED_AS, self.crew.clock.now().date(), cost)

    def _turn_now(self) -> Turn:
        return Turn(self._turn.message_id, self._turn.began_at, self._turn.steps + self._course.turns)

    def _outline(self, answered: Answered) -> dict[str, JSON]:
        return outline(answered, self._turn.message_id)


def tell_use(tell: Tell, use: ToolUse, call_id: str, answer: Answer) -> None:
    """A call's result, and the execution that it was."""
    shown: dict[str, JSON] = {
        "tool_name": use.name,
        "tool_call_id": call_id,
        "success": use.status is MessageStatus.COMPLETE,
        "status": use.status.value,
        "output": use.shown[:_TOLD_CHARACTERS],
        "latency_ms": round(use.latency_ms, 3),
    }
    tell("tool_result", shown)
    retriever = answer.toolbox.brought.retriever
    if use.execution_id is not None and retriever is not None:
        run: dict[str, JSON] = {
            "tool_name": use.name,
            "execution_id": use.execution_id,
            "retriever_id": retriever.retriever_id,
            "retriever_name": retriever.name,
            "is_adhoc": False,
            "documents_returned": answer.toolbox.brought.returned,
            "documents": [shown_document(one) for one in use.documents],
            "latency_ms": round(use.latency_ms, 3),
        }
        tell("retriever_execution", run)


def shown_document(one: Shown) -> dict[str, JSON]:
    return {
        "label": one.label,
        "document_id": one.document_id,
        "collection_id": one.collection_id,
        "retriever_id": one.retriever_id,
        "execution_id": one.execution_id,
        "score": one.score,
    }


def outline(answered: Answered, message_id: str) -> dict[str, JSON]:
    """What there is to say once a message was answered, or waits for a person."""
    runs = [one for one in answered.uses if one.execution_id is not None]
    message = answered.message
    status = MessageStatus.AWAITING if message is None else message.status
    return {
        "session_id": answered.session_id,
        "message_id": message_id,
        "status": status.value,
        "latency_ms": round(answered.spent.latency_ms, 3),
        "tool_calls_made": len(answered.uses),
        "tokens_used": answered.spent.tokens,
        "credits_used": answered.spent.credits,
        "data_accessed_via_retriever": bool(runs),
        "retriever_summary": {
            "used_retrievers": bool(runs),
            "retriever_count": len(runs),
            "saved_retrievers": len(runs),
            "adhoc_retrievers": 0,
            "total_documents": len({one.document_id for run in runs for one in run.documents}),
            "executions": [one.execution_id for one in runs],
        },
    }


def reaches_out(retriever: Retriever, stages: Mapping[str, type[Stage]]) -> bool:
    """Whether one of its stages sends something outside, other than to a language model: a document could tell the
    model what to send there. One that is no longer there does."""

    def does(stage_id: str, parameters: Mapping[str, Any]) -> bool:
        stage = stages.get(stage_id)
        if stage is None:
            return True
        is_language = Need.LANGUAGE in getattr(stage, "needs", frozenset())
        return Effect.OUTSIDE in effects_of(stage, parameters) and not is_language

    return any(does(one.stage_id, one.parameters) for one in retriever.definition.stages)
