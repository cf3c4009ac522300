"""What keeps a stage, or a whole plan, from running on this server."""

from collections.abc import Mapping
from typing import Any

from tamis.engine.needs import Lacks, Need
from tamis.engine.planning.plan import Plan
from tamis.engine.stage import Stage
from tamis.errors import NotSetUpError


def missing(stage: type[Stage], lacks: Lacks, parameters: Mapping[str, Any] | None = None) -> str | None:
    """What keeps the stage from running here, in words; None where nothing does. parameters: as they were written."""
    needs: frozenset[Need] = getattr(stage, "needs", frozenset())
    with_parameters = getattr(stage, "needs_with", None)
    if parameters is not None and with_parameters is not None:
        needs = with_parameters(parameters)
    return next((f"{need} ({lacks[need]})" for need in sorted(needs) if need in lacks), None)


def check_needs(plan: Plan, lacks: Lacks) -> None:
    """Of stages whose failure would end the run; others find out when they run. Raises: NotSetUpError."""
    for planned in plan.stages:
        what = missing(planned.stage, lacks, planned.spec.parameters)
        if what is not None and not planned.is_optional and "when" not in planned.spec.options:
            raise NotSetUpError(f"{planned.spec.stage_id}: {what}", stage_name=planned.spec.stage_name)
