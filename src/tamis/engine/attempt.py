"""One stage on one input: its templates filled, its filters applied around it, what it may touch handed in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine import templates
from tamis.engine.environment import Environment
from tamis.engine.plan import PlannedStage
from tamis.engine.run import RunRequest
from tamis.engine.sandbox import Named
from tamis.engine.stage import Context, Outcome
from tamis.model.filters import Filter
from tamis.model.hits import Hit, Hits
from tamis.model.matching import matches


@dataclass(slots=True)
class Attempt:
    """parameters: after templating, as far as it got; None where the definition's own were used."""

    environment: Environment
    request: RunRequest
    seed: int
    index: int
    planned: PlannedStage
    hits: Hits
    parameters: dict[str, Any] | None = None

    async def go(self, scope: dict[str, Named]) -> Outcome:
        """Run it. scope: what its templates see.  Raises: ValidationError, and whatever the stage raises."""
        planned = self.planned
        self.parameters, parameters = planned.resolve(scope)
        before, after = planned.filter("pre_filters", scope), planned.filter("post_filters", scope)
        stage = planned.stage(parameters)
        outcome = await stage.run(_matching(self.hits, before), self._context(scope))
        return outcome if after is None else _filtered(outcome, after)

    def _context(self, scope: dict[str, Named]) -> Context:
        request, environment = self.request, self.environment
        return Context(
            principal=request.principal,
            inputs=request.inputs,
            collections=request.collections,
            seed=self.seed,
            stage_name=self.planned.spec.stage_name,
            stage_index=self.index,
            searcher=environment.searcher,
            models=environment.models,
            clock=environment.clock,
            render=_renderer(self.planned.deferred, scope),
        )


def _renderer(deferred: frozenset[str], scope: dict[str, Named]) -> Callable[[Any, Hit], Any]:
    """Only texts that the definition itself holds are rendered: one that came out of a template never is."""
    if not deferred:
        return lambda value, hit: value

    def render(value: Any, hit: Hit) -> Any:
        return templates.render(value, {**scope, "DOC": Named("DOC", hit.view())}, only=deferred)

    return render


def _matching(hits: Hits, wanted: Filter | None) -> Hits:
    return hits if wanted is None else Hits.of(hit for hit in hits if matches(wanted, hit.view()))


def _filtered(outcome: Outcome, wanted: Filter) -> Outcome:
    return replace(outcome, hits=_matching(outcome.hits, wanted))
