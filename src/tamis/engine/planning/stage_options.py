"""Options that stand beside a stage's parameters and mean the same for every stage."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from tamis.engine.planning.inputs import Problem, fault
from tamis.engine.templating import templates
from tamis.errors import ValidationError
from tamis.model.json import JSON
from tamis.model.retriever import StageSpec

BATCH_SIZE = "batch_size"
CONTEXT_NAMES = frozenset(
    ("namespace_id", "collection_ids", "execution_id", "budget_remaining", "time_elapsed_ms", "time_remaining_ms",
     "document_count", "INDEX", "CITATION")
)  # fmt: skip
"""What CONTEXT holds by itself."""


def has_batches(model: type[BaseModel]) -> bool:
    return BATCH_SIZE in model.model_fields


def batched(spec: StageSpec, model: type[BaseModel]) -> StageSpec:
    """The option `batch_size` where it takes effect: as the parameter of a stage that works in batches."""
    if spec.batch_size is None or not has_batches(model) or spec.parameters.get(BATCH_SIZE) is not None:
        return spec
    return replace(spec, parameters={**spec.parameters, BATCH_SIZE: spec.batch_size})


def option_problems(spec: StageSpec, loc: templates.Loc) -> list[Problem]:
    problems = _batch_problems(spec, [*loc, BATCH_SIZE])
    if spec.options.get("on_error", "error") not in ("error", "skip"):
        problems.append(
            fault([*loc, "on_error"], "'error' fails the run, 'skip' goes on with what the stage was given")
        )
    alias = spec.options.get("output_alias", "alias")
    if not isinstance(alias, str) or not alias.isidentifier():
        problems.append(fault([*loc, "output_alias"], "a name that templates can write, such as 'faces'"))
    elif alias in CONTEXT_NAMES:
        problems.append(fault([*loc, "output_alias"], f"CONTEXT.{alias} has a meaning already; take another name"))
    return problems


def _batch_problems(spec: StageSpec, loc: templates.Loc) -> list[Problem]:
    given, own = spec.batch_size, spec.parameters.get(BATCH_SIZE)
    if given is None:
        return []
    if own not in (None, given):
        return [fault(loc, f"batch_size is {given!r} here and {own!r} among the parameters; give one of them")]
    try:
        template = templates.find(given, loc) if isinstance(given, str) else None
    except ValidationError as error:
        return error.problems
    if template is None and not _is_count(given):
        return [fault(loc, "a whole number from 1 on, or a template that gives one, such as '{{INPUT.page_size}}'")]
    if template is not None and "DOC" in template.roots:
        return [fault(loc, "batches are made before any document is looked at; DOC is not known yet")]
    return []


def _is_count(value: JSON) -> bool:
    number: Any = int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
