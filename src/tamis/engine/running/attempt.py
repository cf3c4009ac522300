"""One stage on one input: its templates filled, its filters applied around it, what it may touch handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tamis.engine.caching import Answered, Work
from tamis.engine.environment import Environment
from tamis.engine.planning.plan import PlannedStage
from tamis.engine.run import RunRequest
from tamis.engine.running import sifting
from tamis.engine.spending.allowance import Allowance
from tamis.engine.stage import Context, Outcome, Render
from tamis.engine.tape import PlaybackTape, Tape, Taped
from tamis.engine.taping.taped import FACTS, TapedAllowance, taped
from tamis.engine.templating import templates
from tamis.engine.templating.sandbox import Named
from tamis.model.filters import Filter
from tamis.model.hits import Hit, Hits


@dataclass(slots=True)
class Attempt:
    """parameters: after templating, as far as it got; None where the definition's own were used.

    tape: what its calls go through; a cache that answers in the stage's place puts back what they came to.
    answered: what the run's caches had to do with it, where there are any.
    """

    environment: Environment
    request: RunRequest
    seed: int
    index: int
    planned: PlannedStage
    hits: Hits
    allowance: Allowance = field(default_factory=Allowance)
    parameters: dict[str, Any] | None = None
    tape: Tape | None = None
    answered: Answered | None = None

    @property
    def calls(self) -> Sequence[Taped]:
        """What the stage has asked of its environment so far."""
        return () if self.tape is None else self.tape.calls

    @property
    def is_from_record(self) -> bool:
        """Whether what it asks is answered by another execution's record."""
        return isinstance(self.tape, PlaybackTape)

    def told(self, facts: dict[str, Any]) -> dict[str, Any]:
        """What templates are told of the run's time and money; in a replay, what they were told then."""
        return facts if self.tape is None else self.tape.ask_now(FACTS, tuple(sorted(facts)), lambda: facts)

    async def go(self, scope: dict[str, Named]) -> Outcome:
        """Run it. scope: what its templates see.  Raises: ValidationError, and whatever the stage raises."""
        planned = self.planned
        self.parameters, parameters = planned.resolve(scope)
        before, after = planned.filter("pre_filters", scope), planned.filter("post_filters", scope)
        stage, caching = planned.stage(parameters), self.request.caching
        if caching is None:
            outcome = await stage.run(await _matching(self.hits, before), self._context(scope))
            return self._noted(outcome if after is None else await _filtered(outcome, after))

        async def run() -> Outcome:
            outcome = await stage.run(await _matching(self.hits, before), caching.witness.watch(self._context(scope)))
            if self.allowance.refused:
                caching.witness.strayed = True  # a budget cut its calls, another may not
            return outcome if after is None else await _filtered(outcome, after)

        work = Work(self.index, planned, parameters, (before, after), self.hits, self.seed, self.tape)
        self.answered = await caching.answer(work, run)
        return self._noted(self.answered.outcome)

    def _noted(self, outcome: Outcome) -> Outcome:
        if outcome.parameters is not None:
            self.parameters = dict(outcome.parameters)
        return outcome

    def _context(self, scope: dict[str, Named]) -> Context:
        request, environment = self.request, self.environment
        if self.tape is not None:
            environment = taped(environment, self.tape)
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
            render=renderer(self.planned.deferred, scope),
            allowance=self.allowance if self.tape is None else TapedAllowance(self.tape, self.allowance),
            reach=environment.reach,
            stages=self.planned.registry,
            retriever_id=request.retriever_id,
        )


def renderer(deferred: frozenset[str], scope: Mapping[str, Named]) -> Render:
    """Only texts that the definition itself holds are rendered: one that came out of a template never is."""
    if not deferred:
        return lambda value, hit, here=None: value

    def render(value: Any, hit: Hit, here: Mapping[str, Any] | None = None) -> Any:
        seen = {**scope, "DOC": Named("DOC", hit.view())}
        if here:
            seen["CONTEXT"] = Named("CONTEXT", {**scope.get("CONTEXT", {}), **here})
        return templates.render(value, seen, only=deferred)

    return render


async def _matching(hits: Hits, wanted: Filter | None) -> Hits:
    return hits if wanted is None else Hits.of(await sifting.meant(hits, wanted))


async def _filtered(outcome: Outcome, wanted: Filter) -> Outcome:
    return replace(outcome, hits=await _matching(outcome.hits, wanted))
