"""The roll-out of a retriever: how the candidate stands in the shadow, who answers what, and how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tamis.errors import NotFoundError, NotSetUpError
from tamis.evaluation.agreement import overlap, rank_biased_overlap
from tamis.model.retriever import RetrieverVersion
from tamis.model.rollout import ShadowRun
from tamis.services.learning.datasets import DatasetService
from tamis.services.learning.rollouts import K, RolloutDraft, RolloutService, Standing, ToldRun
from tamis.services.listing import ListQuery
from tamis.services.runs.retrievers import RetrieverService
from tamis.studio import fields
from tamis.studio.retrievers import identifier
from tamis.studio.visit import Visit

_MOST_RUNS = 20
_MOST_CHOICES = 1000
_LONGEST_MS = 300_000


@dataclass(frozen=True, slots=True)
class RunRow:
    """One execution that both answered; shares are None where there is nothing to compare."""

    run: ShadowRun
    query_summary: str | None
    overlap: float | None
    rank_biased_overlap: float | None


@dataclass(frozen=True, slots=True)
class Choice:
    candidate: RetrieverVersion
    baseline: RetrieverVersion

    @property
    def value(self) -> str:
        """As a form sends it."""
        return f"{self.candidate.version}:{self.baseline.version}"


async def show(visit: Visit) -> Response:
    retriever = await visit.service(RetrieverService).get(visit.principal, identifier(visit))
    dataset = visit.asked("dataset") or None
    standing, problem = await _standing(visit, dataset)
    runs: Sequence[ToldRun] = ()
    if standing is not None:
        runs = await visit.service(RolloutService).runs(visit.principal, retriever.retriever_id, _MOST_RUNS)
    others = await visit.service(RetrieverService).list(visit.principal, ListQuery(limit=_MOST_CHOICES))
    datasets = await visit.service(DatasetService).list(visit.principal, _MOST_CHOICES, 0)
    return visit.page(
        "rollout.html",
        retriever=retriever,
        standing=standing,
        problem=problem,
        runs=[_row(one) for one in runs],
        choices=_choices(await visit.service(RetrieverService).versions(visit.principal, retriever.retriever_id)),
        others=[one.name for one in others.items if one.retriever_id != retriever.retriever_id],
        datasets=[one.name for one in datasets.items],
        dataset=dataset,
        depth=K,
    )


async def start(visit: Visit) -> Response:
    """Begin one, or change its shares and bounds."""
    here = identifier(visit)
    await visit.service(RolloutService).start(visit.principal, here, _draft(visit))
    return visit.moved(f"/retrievers/{here}/rollout")


async def promote(visit: Visit) -> Response:
    ended = await visit.service(RolloutService).promote(visit.principal, identifier(visit))
    return visit.moved(f"/retrievers/{ended.retriever_id}")


async def roll_back(visit: Visit) -> Response:
    ended = await visit.service(RolloutService).roll_back(visit.principal, identifier(visit))
    return visit.moved(f"/retrievers/{ended.retriever_id}")


async def _standing(visit: Visit, dataset: str | None) -> tuple[Standing | None, str | None]:
    """How it stands, None where nothing is rolled out; and why it cannot be told, or not by that data set."""
    rollouts = visit.service(RolloutService)
    try:
        return await rollouts.standing(visit.principal, identifier(visit), dataset), None
    except NotSetUpError as error:
        return None, error.message
    except NotFoundError as error:
        if error.details.get("resource") == "rollout":
            return None, None
        if dataset is None:
            raise
        return (await _standing(visit, None))[0], error.message


def _draft(visit: Visit) -> RolloutDraft:
    """Raises: BadRequestError naming the field."""
    usual = RolloutDraft()
    values: dict[str, Any] = {
        **_versions(visit.field("candidate")),
        "live_share": _share(visit, "live", usual.live_share),
        "shadow_share": _share(visit, "shadow", usual.shadow_share),
        "max_runs": fields.whole(visit.field("max_runs"), "max_runs", 1, 10_000) or usual.max_runs,
        "max_credits": fields.number(visit.field("max_credits"), "max_credits") or None,
        "max_time_ms": fields.whole(visit.field("max_time_ms"), "max_time_ms", 1, _LONGEST_MS) or usual.max_time_ms,
    }
    return RolloutDraft(**values)


def _versions(chosen: str) -> dict[str, Any]:
    """As `Choice.value` has it. Raises: BadRequestError."""
    if chosen.startswith("="):
        return {"candidate": chosen.removeprefix("=")}
    candidate, _, baseline = chosen.partition(":")
    versions = {"candidate_version": candidate, "baseline_version": baseline}
    return {name: fields.whole(text, "candidate", 1) for name, text in versions.items()}


def _choices(versions: Sequence[RetrieverVersion]) -> list[Choice]:
    """Versions of its own that can be tried: the newest beside the one before, an earlier one beside the newest."""
    if len(versions) < 2:
        return []
    newest, before = versions[0], versions[1]
    return [Choice(newest, before), *(Choice(one, newest) for one in versions[1:])]


def _share(visit: Visit, name: str, usual: float) -> float:
    """A form has it in per cent."""
    percent = fields.number(visit.field(name), name, 100)
    return usual if percent is None else percent / 100


def _row(told: ToldRun) -> RunRow:
    run = told.run
    if run.skipped is not None or run.error is not None:
        return RunRow(run, told.query_summary, None, None)
    agreed = overlap(run.live, run.shadow, K), rank_biased_overlap(run.live, run.shadow)
    return RunRow(run, told.query_summary, *agreed)
