"""Many questions to a language model at once, and what their answers came to."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tamis.engine.ports.language import Prompt, Reply
from tamis.engine.stage import Context
from tamis.errors import LanguageModelError
from tamis.model.hits import Hit, Hits

OnError: TypeAlias = Literal["skip", "error"]
_MOST_WARNINGS = 5


@dataclass(frozen=True, slots=True)
class Answers:
    """items: to each prompt in order its reply, or why there is none."""

    items: tuple[Reply | LanguageModelError, ...]

    @property
    def tokens(self) -> int:
        """Of answers, also of those that did not fit."""
        return sum(
            one.tokens_in + one.tokens_out if isinstance(one, Reply) else int(one.details.get("tokens", 0))
            for one in self.items
        )

    @property
    def calls(self) -> int:
        return sum(one.calls if isinstance(one, Reply) else int(one.details.get("calls", 1)) for one in self.items)

    @property
    def errors(self) -> list[LanguageModelError]:
        return [one for one in self.items if not isinstance(one, Reply)]

    def warnings(self, consequence: str) -> tuple[str, ...]:
        """One for each kind of failure. consequence: what it meant for the documents, such as `left out`."""
        counts: dict[str, int] = {}
        for error in self.errors:
            counts[error.message] = counts.get(error.message, 0) + 1
        listed = [f"{number} of {len(self.items)} questions: {why}; {consequence}" for why, number in counts.items()]
        return tuple(listed[:_MOST_WARNINGS])


async def ask_all(context: Context, prompts: Sequence[Prompt], on_error: OnError = "skip") -> Answers:
    """All at once, as far as the adapter's limit lets them.

    Raises: the first LanguageModelError where `on_error` says so; always what the caller or the operator must mend
    (no such model, no key).
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_asked(context, prompt)) for prompt in prompts]
    found = [task.result() for task in tasks]
    for one in found:
        if not isinstance(one, Reply) and (on_error == "error" or not isinstance(one, LanguageModelError)):
            raise one
    return Answers(tuple(one for one in found if isinstance(one, Reply | LanguageModelError)))


async def _asked(context: Context, prompt: Prompt) -> Reply | Exception:
    try:
        return await context.reach.language.ask(context.principal, prompt, context.allowance)
    except Exception as error:  # given to whoever asked; a group would wrap it in one of its own
        return error


def batches(hits: Hits, size: int) -> Iterator[Sequence[Hit]]:
    for start in range(0, len(hits), size):
        yield hits.items[start : start + size]


def key_of(number: int) -> str:
    """The name of a document's part in an answer about several. number: from 1, as in its fence."""
    return f"document_{number}"
