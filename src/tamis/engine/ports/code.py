"""Programs that came in with a request, run where they can reach nothing of ours."""

from dataclasses import dataclass
from typing import Literal, Protocol

from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Program:
    """language: `python` or `javascript`.  result: the variable whose value is the answer."""

    language: Literal["python", "javascript"]
    code: str
    result: str = "result"
    timeout_s: float = 5.0
    max_memory_bytes: int = 64 << 20
    max_output_bytes: int = 100_000


class CodeRunner(Protocol):
    async def run(self, program: Program, variables: dict[str, JSON]) -> JSON:
        """The same program over the same variables gives the same answer: no clock, no chance, no world.

        Raises: CodeError (what it raised, or the limit that it ran into).
        """
        ...
