"""Programs in a plan: compiled before anything runs, so that what is none is the payload's fault."""

from collections.abc import Callable, Mapping
from typing import Any

from tamis.engine.planning.plan import Plan
from tamis.engine.ports.code import CodeRunner, Program, Ran
from tamis.errors import ValidationError


async def check_programs(plan: Plan, runner: CodeRunner) -> None:
    """Of each stage that has a `program_of(parameters)`, its program; None where its language is yet a template's.

    Raises: ValidationError at the code, naming the line; NotSetUpError.
    """
    for planned in plan.stages:
        program_of: Callable[[Mapping[str, Any]], Program | None] | None = getattr(planned.stage, "program_of", None)
        program = None if program_of is None else program_of(planned.spec.parameters)
        if program is not None:
            refuse(await runner.check(program), [*planned.loc, "config", "parameters"])


def refuse(ran: Ran, loc: list[str | int]) -> None:
    """Raises: ValidationError, where it was no program."""
    if ran.fault == "syntax":
        where = "" if ran.line is None else f"line {ran.line}: "
        raise ValidationError.at([*loc, "code"], f"{where}{ran.error}")
