"""Asks one stage of a past run about one document: its filters first, then the stage itself, else the record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine.environment import Environment
from tamis.engine.planning.plan import PlannedStage
from tamis.engine.run import RunRequest
from tamis.engine.running.attempt import Attempt, renderer
from tamis.engine.stage import Context
from tamis.engine.templating import templates
from tamis.engine.templating.sandbox import Named
from tamis.engine.verdicts.verdict import DROPPED, Bringing, Case, Explaining, Verdict, VerdictKind
from tamis.errors import TamisError
from tamis.model.hits import Hit


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A past run that is asked about. scope: what its templates saw.  seed: its own."""

    environment: Environment
    request: RunRequest
    seed: int
    scope: Mapping[str, Named]

    async def ask(self, planned: PlannedStage, parameters: Mapping[str, Any], case: Case) -> Verdict:
        """The verdict of a stage that the document did not come out of. Runs no effects.

        parameters: of the stage, after templating, as recorded.
        A failure to explain is no failure to answer: the record says at least the document's rank.
        """
        try:
            filtered = await self._refused(planned, "pre_filters", case, case.hit) or await self._behind(planned, case)
            return filtered or await self._own(planned, parameters, case)
        except TamisError as error:
            known = from_record(case)
            return replace(known, reason=f"{known.reason}; more could not be found out: {error.message}")

    async def _own(self, planned: PlannedStage, parameters: Mapping[str, Any], case: Case) -> Verdict:
        stage = planned.stage(planned.stage.Parameters.model_validate(parameters))
        if case.document.document_id in _judged(case) or not isinstance(stage, Explaining):
            return from_record(case)
        return await stage.explain(case, self._context(planned, case))

    async def _behind(self, planned: PlannedStage, case: Case) -> Verdict | None:
        """The filter behind the stage, where the stage itself lets the document through: it is run once more."""
        if "post_filters" not in planned.spec.options:
            return None
        hit = case.hit
        if not planned.effects:
            options = {name: one for name, one in planned.spec.options.items() if name != "post_filters"}
            open_ended = replace(planned, spec=replace(planned.spec, options=options), filters={}, parameters=None)
            attempt = Attempt(self.environment, self.request, self.seed, case.index, open_ended, case.received)
            found = (await attempt.go(dict(self.scope))).hits
            hit = next((one for one in found if one.id == case.document.document_id), None)
        return None if hit is None else await self._refused(planned, "post_filters", case, hit)

    async def _refused(self, planned: PlannedStage, name: str, case: Case, hit: Hit | None) -> Verdict | None:
        raw = planned.spec.options.get(name)
        if raw is None or hit is None:
            return None
        return await case.refused(templates.render(raw, self.scope), ("options", name), hit)

    def _context(self, planned: PlannedStage, case: Case) -> Context:
        request, environment = self.request, self.environment
        return Context(
            principal=request.principal,
            inputs=request.inputs,
            collections=request.collections,
            seed=self.seed,
            stage_name=planned.spec.stage_name,
            stage_index=case.index,
            searcher=environment.searcher,
            models=environment.models,
            clock=environment.clock,
            render=renderer(planned.deferred, self.scope),
            reach=environment.reach,
            retriever_id=request.retriever_id,
        )


def brings(planned: PlannedStage | None, parameters: Mapping[str, Any], index: int) -> bool:
    """Whether the stage may find documents that it was not given."""
    if index == 0 or planned is None:
        return index == 0
    try:
        stage = planned.stage(planned.stage.Parameters.model_validate(parameters))
    except ValueError:
        return False
    return isinstance(stage, Bringing) and stage.brings(index)


def from_record(case: Case) -> Verdict:
    """What the record alone says: the rank it came in with, and the stage's own reason where it noted one."""
    received, returned, hit = len(case.received), len(case.returned), case.hit
    if hit is None:
        return Verdict(
            VerdictKind.NEVER_A_CANDIDATE, f"it is not among the {returned} documents that came out", {"out": returned}
        )
    facts = {"rank": case.rank, "received": received, "returned": returned, "score": hit.score}
    reason = _judged(case).get(hit.id)
    if isinstance(reason, str):
        return Verdict(VerdictKind.DROPPED, reason, facts)
    told = f"it came in as number {case.rank} of {received} with score {hit.score:.6g}; {returned} came out"
    return Verdict(VerdictKind.DROPPED, told, facts)


def _judged(case: Case) -> Mapping[str, Any]:
    reasons = case.metadata.get(DROPPED)
    return reasons if isinstance(reasons, Mapping) else {}
