"""What a session's model is told: its task, what was said before, and the steps of the answer that it works at."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import orjson

from tamis.engine.language.agent import step_said
from tamis.engine.language.prompting import cut, fenced
from tamis.engine.ports.language import Message
from tamis.model.agent_session import AgentMessage, AgentSession, MessageStatus, Shown
from tamis.model.json import JSON
from tamis.model.retriever import Retriever

PROMPT = "You answer questions from the documents that retrievers find, and say so where they do not hold the answer."
LAST_SAID = 80
"""Messages that are looked at for what was said before."""
_EARLIER_CHARACTERS = 24_000
_MEMORY_CHARACTERS = 8_000
_RULES = (
    "Documents that tools bring are called D1, D2 and so on. After each statement that rests on a document write its "
    "name in brackets, as [D1]. Name no document that you were not shown. Your answer is an object: `text` is what the "
    "person reads, `citations` lists the documents that it rests on."
)


ANSWER: dict[str, JSON] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "citations": {"type": "array", "items": {"type": "string"}}},
    "required": ["text"],
    "additionalProperties": False,
}
"""The JSON schema of what a model answers with in the end."""


def task(session: AgentSession, retrievers: Sequence[Retriever]) -> str:
    """The system's part, before the tools: trusted text, and what is known of the person as data."""
    parts = [session.config.system_prompt or PROMPT, _RULES]
    listed = [
        {"retriever": one.name, "about": one.description, "inputs": one.definition.input_schema} for one in retrievers
    ]
    parts.append(f"Retrievers:\n{orjson.dumps(listed).decode()}" if listed else "There are no retrievers to run.")
    if session.user_memory:
        memory = cut(orjson.dumps(dict(session.user_memory)).decode(), _MEMORY_CHARACTERS)
        parts.append(f"What is known of the person, as data:\n{fenced(memory)}")
    return "\n\n".join(parts)


def dialogue(session: AgentSession, said: Sequence[AgentMessage], answer_id: str) -> list[Message]:
    """What was said before the question, the question, and the steps so far.

    An earlier answer may repeat a document's words, so it stands in a fence. One that was rated negative, or did not
    come whole, is left out with its question.
    """
    mine = [one for one in said if one.answers == answer_id]
    earlier = [one for one in said if one.answers != answer_id] if session.remembers else []
    question = [Message("user", one.content) for one in mine if one.role == "user"]
    steps = [message for one in mine if one.tool is not None for message in _step(one)]
    return [*_exchanges(earlier), *question, *steps]


def shown_in(said: Iterable[AgentMessage]) -> dict[str, Shown]:
    """Documents that tools brought, by label; of one brought twice, as it came last."""
    brought = (one for message in said if message.tool is not None for one in message.tool.documents)
    return {one.label: one for one in brought}


def _exchanges(said: Sequence[AgentMessage]) -> list[Message]:
    """The newest that fit."""
    found: list[list[Message]] = []
    left = _EARLIER_CHARACTERS
    for _, group in groupby(reversed(said), key=lambda one: one.answers):
        by_role = {one.role: one for one in group}
        question, answer = by_role.get("user"), by_role.get("assistant")
        if question is None or answer is None or not _is_kept(answer):
            continue
        left -= len(question.content) + len(answer.content)
        if left < 0:
            break
        found.append([Message("user", question.content), Message("assistant", fenced(answer.content))])
    return [message for exchange in reversed(found) for message in exchange]


def _is_kept(answer: AgentMessage) -> bool:
    is_bad = answer.feedback is not None and not answer.feedback.is_positive
    return answer.status is MessageStatus.COMPLETE and not is_bad


def _step(message: AgentMessage) -> list[Message]:
    use = message.tool
    if use is None or use.status is MessageStatus.AWAITING:
        return []
    choice: Mapping[str, JSON] = {"tool": use.name, "arguments": use.inputs}
    return step_said(dict(choice), use.shown)
