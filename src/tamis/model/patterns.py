"""Regular expressions of strangers: RE2's, whose work is linear in the text, and bounded here whatever the text is."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from time import thread_time
from typing import Any, TypeVar

import re2

from tamis.errors import ValidationError

T = TypeVar("T")

LONGEST_PATTERN = 1_000
"""Characters of a regular expression."""
LONGEST_TEXT = 1_000_000
"""Characters of a text that a pattern is looked for in, from the beginning."""
MOST_S = 2.0
"""Of computing, for a filter with patterns over all that it looks at."""
_MEMORY_BYTES = 1 << 20
_MOST_STEPS = 100_000_000
"""Characters of a text times instructions of a pattern: a tenth of a second, where RE2 has to try them all."""


class Pattern:
    """Found or not within a tenth of a second, in any text."""

    def __init__(self, text: str, exact: bool) -> None:
        """Raises: re2.error."""
        options = re2.Options()
        options.case_sensitive = exact
        options.log_errors = False
        options.max_mem = _MEMORY_BYTES
        self._compiled = re2.compile(text, options)
        self._instructions = max(1, int(self._compiled.programsize))
        self.most_characters = min(LONGEST_TEXT, _MOST_STEPS // self._instructions)

    def steps(self, text: str) -> int:
        """At most, of a nanosecond each."""
        return min(len(text), self.most_characters) * self._instructions

    def is_in(self, text: str) -> bool:
        return self._compiled.search(text[: self.most_characters]) is not None


@lru_cache(maxsize=256)
def compiled(text: str, exact: bool = True) -> Pattern:
    """Raises: ValueError that says what is wrong with it."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    try:
        return Pattern(text, exact)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"{text!r} is not a pattern of RE2: {reason}") from error


class Patience:
    """What is left of the computing that a filter with patterns may take, however many threads it is on in turn."""

    def __init__(self, loc: tuple[str | int, ...], most_s: float = MOST_S) -> None:
        """loc: where the filter stands."""
        self._loc = loc
        self._most_s = self._left_s = most_s

    def spend(self, work: Callable[[], T]) -> T:
        """Raises: ValidationError once it is spent."""
        began = thread_time()
        done = work()
        self._left_s -= thread_time() - began
        if self._left_s < 0:
            raise ValidationError.at(
                [*self._loc],
                f"its patterns take more than {self._most_s:g} s of computing over these documents: simplify them, or "
                "narrow the documents by other conditions",
            )
        return done

    @property
    def spent_s(self) -> float:
        return self._most_s - self._left_s

    def over(self, matches: Callable[[Mapping[str, Any]], bool]) -> Callable[[Mapping[str, Any]], bool]:
        """The same, at this patience's cost."""
        return lambda view: self.spend(lambda: matches(view))
