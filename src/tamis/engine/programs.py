"""Programs in a plan: compiled before anything runs, so that what is none is the payload's fault."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from tamis.engine.plan import Plan
from tamis.engine.ports.code import CodeRunner, Program, Ran
from tamis.errors import ValidationError


@runtime_checkable
class Programmed(Protocol):
    """A stage whose parameter `code` is a program."""

    @classmethod
    def program_of(cls, parameters: Mapping[str, Any]) -> Program | None:
        """Of parameters as they were written; None where its language is yet a template's."""
        ...


async def check_programs(plan: Plan, runner: CodeRunner) -> None:
    """Raises: ValidationError at the code, naming the line; NotSetUpError."""
    for planned in plan.stages:
        program = planned.stage.program_of(planned.spec.parameters) if isinstance(planned.stage, Programmed) else None
        if program is not None:
            refuse(await runner.check(program), [*planned.loc, "config", "parameters"])


def refuse(ran: Ran, loc: list[str | int]) -> None:
    """Raises: ValidationError, where it was no program."""
    if ran.fault == "syntax":
        where = "" if ran.line is None else f"line {ran.line}: "
        raise ValidationError.at([*loc, "code"], f"{where}{ran.error}")
