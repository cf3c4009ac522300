"""Programs that came in with a pipeline, run where they can reach nothing of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from tamis.model.json import JSON
from tamis.model.principal import Principal

Language: TypeAlias = Literal["python", "javascript"]


@dataclass(frozen=True, slots=True)
class Program:
    """What is run once for each document, in a world of its own each time.

    The code either defines `transform(doc)`, whose value is the answer, or sets the variable `result`.
    given: variables that it finds set beside `doc`, as plain JSON.
    timeout_s, max_memory_bytes: for one document.  max_output_bytes: of the answer as JSON.
    """

    language: Language
    code: str
    result: str = "result"
    given: Mapping[str, JSON] = field(default_factory=dict)
    timeout_s: float = 5.0
    max_memory_bytes: int = 128 << 20
    max_output_bytes: int = 100_000


Fault: TypeAlias = Literal["syntax", "raised", "time", "memory", "output", "not_run"]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one document.

    value: plain JSON.  is_transformed: it is what `transform(doc)` gave back.
    fault: None where all went well; else `error` says what happened.  line: in the code, from 1, where known.
    printed: the beginning of what the program printed.
    """

    value: JSON = None
    is_transformed: bool = False
    fault: Fault | None = None
    error: str = ""
    line: int | None = None
    printed: str = ""


class CodeRunner(Protocol):
    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        """One `Ran` for each document, in their order. The program has no clock, no chance and no world: but for the
        limits, its answer follows from the document alone.

        Raises: NotSetUpError.
        """
        ...

    async def check(self, program: Program) -> Ran:
        """Whether it is a program: `fault` is `syntax` where not. Nothing of it is run. Raises: NotSetUpError."""
        ...
