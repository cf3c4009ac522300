"""Failures of what a stage asked, noted and raised again."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

import orjson

from tamis.errors import TamisError

_UNANSWERED = "asyncio.exceptions:CancelledError"


@dataclass(frozen=True, slots=True)
class Raised:
    """type: `module:Class`.  details, problems: of one of our own errors."""

    type: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_unanswered(self) -> bool:
        """Nobody waited for the answer any more: a limit was reached, or a neighbour failed."""
        return self.type == _UNANSWERED


class Unrecorded(TamisError):
    """In a frozen replay a stage asked something that the record has no answer to."""

    status = 409


def note_of(error: BaseException) -> Raised:
    kind = type(error)
    name = _UNANSWERED if isinstance(error, asyncio.CancelledError) else f"{kind.__module__}:{kind.__qualname__}"
    if not isinstance(error, TamisError):
        return Raised(name, str(error))
    details, problems = orjson.loads(orjson.dumps([error.details, getattr(error, "problems", [])], default=str))
    return Raised(name, error.message, details, problems)


def raised_again(note: Raised) -> Exception:
    """The same failure, as far as its class is loaded; else one whose class has the same name."""
    kind = _class_of(note.type)
    error = kind.__new__(kind, note.message)
    error.args = (note.message,)
    if isinstance(error, TamisError):
        error.message, error.details = note.message, dict(note.details)
        if note.problems:
            vars(error)["problems"] = note.problems
    return error


def _class_of(name: str) -> type[Exception]:
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found
    return type(path.rpartition(".")[2], (Exception,), {})
