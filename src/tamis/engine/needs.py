"""What a stage cannot do without on any input, and what of it this server lacks."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from tamis.errors import NotSetUpError

if TYPE_CHECKING:
    from tamis.engine.plan import Plan
    from tamis.engine.stage import Stage


class Need(StrEnum):
    """Named by a stage class as `needs: ClassVar[frozenset[Need]]`, of any run.

    A class may also have `needs_with(parameters)`, a class method: those of a run with these parameters.
    """

    LANGUAGE = "language models"
    OUTSIDE = "requests to the outside"
    WEB_PAGES = "reading web pages"
    WEB_SEARCH = "web search"
    IMAGE_SEARCH = "reverse image search"
    PROGRAMS = "running programs"
    DATABASES = "lookups in databases"
    CLUSTERING = "clustering"
    RERANKER = "a reranking model"


Lacks: TypeAlias = Mapping[Need, str]
"""What is not set up, with how to set it up."""


def missing(stage: "type[Stage]", lacks: Lacks, parameters: Mapping[str, Any] | None = None) -> str | None:
    """What keeps the stage from running here, in words; None where nothing does. parameters: as they were written."""
    needs: frozenset[Need] = getattr(stage, "needs", frozenset())
    with_parameters = getattr(stage, "needs_with", None)
    if parameters is not None and with_parameters is not None:
        needs = with_parameters(parameters)
    return next((f"{need} ({lacks[need]})" for need in sorted(needs) if need in lacks), None)


def check_needs(plan: "Plan", lacks: Lacks) -> None:
    """Of stages whose failure would end the run; others find out when they run. Raises: NotSetUpError."""
    for planned in plan.stages:
        what = missing(planned.stage, lacks, planned.spec.parameters)
        if what is not None and not planned.is_optional and "when" not in planned.spec.options:
            raise NotSetUpError(f"{planned.spec.stage_id}: {what}", stage_name=planned.spec.stage_name)
