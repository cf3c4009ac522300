"""A language model that works in steps: it names a tool, sees what came of it, and goes on until it is done.

The model only ever chooses: each step is one structured answer, its arguments are validated before a tool runs, what a
tool refuses goes back to the model as text, and the loop ends at the first of its limits, whatever the model says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import orjson
from pydantic import BaseModel
from pydantic import ValidationError as Invalid

from tamis.engine.language.prompting import RULES
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.stage import Context
from tamis.errors import TamisError
from tamis.model.json import JSON

FINISH = "finish"
_LONGEST_TOLD = 400


class ToolError(Exception):
    """What a tool refuses, in words that the model can act on."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Arguments: what the model must give, and what is validated.  call: gives what the model is shown.

    What comes from documents stands fenced in what `call` gives. Raises: ToolError.
    """

    name: str
    description: str
    Arguments: type[BaseModel]
    call: Callable[[Any], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Model:
    """As in `Prompt`."""

    provider: str | None = None
    name: str | None = None
    key: str | None = None
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """turns: answers of the model.  tokens: of all of them, asked before each; None leaves them to the allowance."""

    turns: int
    timeout_s: float
    tokens: int | None = None


class Ending(StrEnum):
    """Why a course ended."""

    FINISHED = "finished"
    TURNS = "max_iterations"
    TIME = "timeout"
    TOKENS = "max_tokens"
    ERROR = "error"


@dataclass(slots=True)
class Step:
    """One tool call: what it came to in short, or why it was refused."""

    tool: str
    arguments: JSON
    result: str | None = None
    error: str | None = None

    def told(self) -> dict[str, JSON]:
        facts: dict[str, JSON] = {"name": self.tool, "arguments": self.arguments}
        return {**facts, "error": self.error} if self.error is not None else {**facts, "result": self.result}


@dataclass(slots=True)
class Course:
    """What has happened so far: it is whole at any moment, so that time may run out at any.

    answer: the model's, validated, where one was asked for and given.  error: what ended it.
    """

    steps: list[Step] = field(default_factory=list)
    turns: int = 0
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    model: str | None = None
    ending: Ending = Ending.TURNS
    answer: JSON = None
    error: TamisError | None = None

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def note(self, reply: Reply) -> None:
        self.turns += 1
        self.spent(reply)

    def failed(self, error: TamisError) -> None:
        """An answer that was refused has been paid for all the same."""
        self.ending, self.error = Ending.ERROR, error
        self.calls += int(error.details.get("calls", 0))
        self.tokens_in += int(error.details.get("tokens", 0))

    def spent(self, reply: Reply) -> None:
        """Also of a model that a tool asked."""
        self.calls += reply.calls
        self.tokens_in += reply.tokens_in
        self.tokens_out += reply.tokens_out
        self.model = self.model or reply.model


Ask: TypeAlias = Callable[[Prompt], Awaitable[Reply]]
"""As `LanguageModels.ask`, of somebody and within an allowance."""


class Watch:
    """Who is told of each step as it happens. Here, nobody."""

    async def chosen(self, step: Step) -> None:
        """Before the tool is looked for."""

    async def taken(self, step: Step, seen: str) -> None:
        """Once it has run, or was refused. seen: what the model is shown of it."""


@dataclass(slots=True)
class Agent:
    """answer: JSON schema of what it must answer with in the end; None where finishing is all.

    course: how far it is; tools may add to it.  answer_tokens: of each of its answers; None is the provider's default.
    """

    model: Model
    tools: Sequence[Tool]
    limits: Limits
    answer: dict[str, JSON] | None = None
    course: Course = field(default_factory=Course)
    answer_tokens: int | None = None
    watch: Watch = field(default_factory=Watch)

    async def go(self, system: str, task: str, context: Context, images: tuple[str, ...] = ()) -> Course:
        """Until it is done or a limit is met. What the model's provider refuses ends it: `course.error`.

        system, task: trusted text; what of them comes from documents is fenced.
        """

        async def ask(prompt: Prompt) -> Reply:
            return await context.reach.language.ask(context.principal, prompt, context.allowance)

        return await self.go_on([self.told(system), Message("user", task, images)], ask)

    async def go_on(self, messages: list[Message], ask: Ask) -> Course:
        """As `go`, from what was said so far: it begins with what `told` makes."""
        course = self.course
        try:
            async with asyncio.timeout(self.limits.timeout_s) as deadline:
                await self._turns(messages, ask)
        except TimeoutError:
            if not deadline.expired():
                raise
            course.ending = Ending.TIME
        except TamisError as error:
            course.failed(error)
        return course

    async def _turns(self, messages: list[Message], ask: Ask) -> None:
        course, limits = self.course, self.limits
        for turn in range(limits.turns):
            if limits.tokens is not None and course.tokens >= limits.tokens:
                course.ending = Ending.TOKENS
                return
            must_answer = self.answer is not None and turn == limits.turns - 1
            reply = await ask(self._prompt(messages, must_answer))
            course.note(reply)
            seen = await self._step(reply.value)
            if seen is None:
                course.ending = Ending.FINISHED
                return
            messages += step_said(reply.value, seen)

    async def _step(self, value: JSON) -> str | None:
        """What the model is shown next; None where it is done."""
        given = value if isinstance(value, dict) else {}
        name, arguments = str(given.get("tool", "")), given.get("arguments") or {}
        if name == FINISH:
            if self.answer is None or "answer" in given:
                self.course.answer = given.get("answer")
                return None
            return "Finishing needs an `answer` that fits the schema."
        step = Step(name, arguments)
        self.course.steps.append(step)
        await self.watch.chosen(step)
        try:
            seen = await self._call(name, arguments)
            step.result = seen.partition("\n")[0][:_LONGEST_TOLD]
        except ToolError as error:
            step.error = str(error)[:_LONGEST_TOLD]
            seen = f"The tool refused: {step.error}"
        await self.watch.taken(step, seen)
        return seen

    async def _call(self, name: str, arguments: JSON) -> str:
        tool = next((one for one in self.tools if one.name == name), None)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}; there is {', '.join(one.name for one in self.tools)}")
        try:
            checked = tool.Arguments.model_validate(arguments)
        except Invalid as error:
            faults = (f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in error.errors())
            raise ToolError("; ".join(faults)) from error
        return await tool.call(checked)

    def told(self, system: str) -> Message:
        """What the model is told before anything else: what it is for, how to choose, and among which tools."""
        listed = [
            {"name": tool.name, "description": tool.description, "arguments": tool.Arguments.model_json_schema()}
            for tool in self.tools
        ]
        rules = (
            "Work in steps. Answer each time with one JSON object: `tool`, the name of a tool, and `arguments`, which "
            f"fit its schema; you are then shown what came of it. Once you are done, `tool` is {FINISH!r}"
            f"{', and `answer` is your answer' if self.answer is not None else ''}. You have {self.limits.turns} "
            f"answers in all. {RULES}"
        )
        return Message("system", f"{system}\n\n{rules}\n\nTools:\n{orjson.dumps(listed).decode()}")

    def _prompt(self, messages: Sequence[Message], must_answer: bool) -> Prompt:
        model = self.model
        return Prompt(
            tuple(messages),
            provider=model.provider,
            model=model.name,
            key=model.key,
            schema=self._schema(must_answer),
            max_tokens=self.answer_tokens,
            temperature=model.temperature,
        )

    def _schema(self, must_answer: bool) -> dict[str, JSON]:
        names: list[JSON] = [FINISH] if must_answer else [*(tool.name for tool in self.tools), FINISH]
        properties: dict[str, JSON] = {
            "tool": {"type": "string", "enum": names},
            "arguments": {"type": "object"},
            "reason": {"type": "string"},
        }
        schema: dict[str, JSON] = {"type": "object", "properties": properties, "required": ["tool"]}
        if self.answer is not None:
            inner = dict(self.answer)
            # References inside the answer's schema are from the root.
            hoisted: dict[str, JSON] = {name: inner.pop(name) for name in ("$defs", "definitions") if name in inner}
            properties["answer"] = inner
            schema |= hoisted
            if must_answer:
                schema["required"] = ["tool", "answer"]
        return {**schema, "additionalProperties": False}


def step_said(choice: JSON, seen: str) -> list[Message]:
    """A step as the model is reminded of it. choice: its tool and arguments.  seen: what came of it."""
    return [Message("assistant", _said(choice)), Message("user", seen)]


def _said(value: JSON) -> str:
    """The model's choice without its words: those may repeat a document outside of its fence."""
    given = value if isinstance(value, dict) else {}
    return orjson.dumps({"tool": given.get("tool"), "arguments": given.get("arguments") or {}}).decode()
