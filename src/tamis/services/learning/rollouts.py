"""Roll-outs: begun, changed, told how they stand, and ended by taking the candidate or by going back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean, median

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError, ValidationError
from tamis.evaluation.agreement import overlap, rank_biased_overlap
from tamis.evaluation.comparison import MetricComparison, compare
from tamis.evaluation.measures import Qrels, grades_of, measure, scored
from tamis.evaluation.rankings import named
from tamis.model.canonical import sha1_of
from tamis.model.hits import Hit
from tamis.model.ids import new_id
from tamis.model.interaction import LIKING
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever, version_of
from tamis.model.rollout import Rollout, ShadowRun
from tamis.services.learning.datasets import find_dataset
from tamis.services.runs.retrievers import find_retriever, find_version

K = 10
_METRICS = ("ndcg", "mrr")
_BODY = "body"


@dataclass(frozen=True, slots=True)
class RolloutDraft:
    """What a roll-out is to be. candidate: another retriever, whose pipeline becomes the newest version; else
    candidate_version, else the newest.  baseline_version: what answers the rest; None: what answers now.
    """

    candidate: str | None = None
    candidate_version: int | None = None
    baseline_version: int | None = None
    live_share: float = 0.0
    shadow_share: float = 0.1
    max_runs: int = 1000
    max_credits: float | None = None
    max_time_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Means over what could be compared; None without any. slowdown: median time of the candidate by the baseline's.

    failed: runs that the candidate alone failed.  emptied: those that it alone answered with nothing.
    """

    compared: int = 0
    identical: int = 0
    failed: int = 0
    emptied: int = 0
    skipped: int = 0
    overlap: float | None = None
    rank_biased_overlap: float | None = None
    slowdown: float | None = None
    baseline_ms: float | None = None
    candidate_ms: float | None = None
    baseline_credits: float | None = None
    candidate_credits: float | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """By judgements of a data set, or by what was clicked. queries: compared.  metrics: by name, with their p."""

    queries: int
    metrics: Mapping[str, MetricComparison]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a roll-out stands. let_go: executions that came while the shadow was busy, on this server since its start.

    judged: None where no data set was asked for.
    """

    retriever: Retriever
    rollout: Rollout
    agreement: Agreement
    clicked: Quality
    judged: Quality | None
    let_go: int
    credits: float


@dataclass(frozen=True, slots=True)
class ToldRun:
    """query_summary: what was asked, as lists of executions show it; None where the record has gone."""

    run: ShadowRun
    query_summary: str | None


class RolloutService:
    def __init__(self, metadata: Metadata, clock: Clock, let_go: Callable[[str], int] = lambda _: 0) -> None:
        """let_go: how many executions of a roll-out the shadow had no time for."""
        self._metadata = metadata
        self._clock = clock
        self._let_go = let_go

    async def start(self, principal: Principal, retriever: str, draft: RolloutDraft) -> Rollout:
        """Begin one, or change what the one under way does; with other versions it is another, and begins anew.

        Raises: NotFoundError (retriever, version), ValidationError.
        """
        now = self._clock.now()

        def write(session: Session) -> Rollout:
            found = find_retriever(session, principal, retriever)
            before = session.rollouts.get(principal, found.retriever_id)
            serving = before.baseline_version if before else found.version
            if draft.candidate is not None:
                other = find_retriever(session, principal, draft.candidate)
                found = _become(session, principal, found, other, now)
            made = _drafted(session, principal, found, draft, serving, now)
            if before is not None and _versions(before) == _versions(made):
                made = replace(made, rollout_id=before.rollout_id, started_at=before.started_at)
            session.rollouts.put(principal, made)
            return made

        return await self._metadata.write(write)

    async def under_way(self, principal: Principal, retriever: str) -> Rollout | None:
        """None where nothing is rolled out. Raises: NotFoundError (retriever)."""

        def read(session: Session) -> Rollout | None:
            return session.rollouts.get(principal, find_retriever(session, principal, retriever).retriever_id)

        return await self._metadata.read(read)

    async def standing(self, principal: Principal, retriever: str, dataset: str | None = None) -> Standing:
        """dataset: by whose judgements both are measured. Raises: NotFoundError, NotSetUpError (with a data set)."""

        def read(session: Session) -> tuple[Retriever, Rollout, Sequence[ShadowRun], Clicks, Judgements | None]:
            found, rollout = _under_way(session, principal, retriever)
            runs = session.rollouts.runs(principal, rollout.rollout_id)
            judged = _judgements(session, principal, runs, dataset) if dataset is not None else None
            return found, rollout, runs, _clicks(session, principal, runs), judged

        found, rollout, runs, clicks, judgements = await self._metadata.read(read)
        return Standing(
            retriever=found,
            rollout=rollout,
            agreement=agreement(runs),
            clicked=_by_clicks(runs, clicks),
            judged=None if judgements is None else _compared(*judgements),
            let_go=self._let_go(rollout.rollout_id),
            credits=sum(one.shadow_credits for one in runs),
        )

    async def runs(self, principal: Principal, retriever: str, limit: int) -> Sequence[ToldRun]:
        """Those that both agree on least, first; failures before all, what was skipped last. Raises: NotFoundError."""

        def read(session: Session) -> Sequence[ToldRun]:
            _, rollout = _under_way(session, principal, retriever)
            worst = sorted(session.rollouts.runs(principal, rollout.rollout_id), key=_worst)[:limit]
            return [ToldRun(one, _asked(session, principal, one)) for one in worst]

        return await self._metadata.read(read)

    async def promote(self, principal: Principal, retriever: str) -> Retriever:
        """End it with the candidate: that is what the retriever runs from now on. Raises: NotFoundError."""
        return await self._end(principal, retriever, lambda rollout: rollout.candidate_version, "promoted")

    async def roll_back(self, principal: Principal, retriever: str) -> Retriever:
        """End it with the baseline. Raises: NotFoundError."""
        return await self._end(principal, retriever, lambda rollout: rollout.baseline_version, "rolled_back")

    async def _end(
        self, principal: Principal, retriever: str, winner: Callable[[Rollout], int], action: str
    ) -> Retriever:
        now = self._clock.now()

        def write(session: Session) -> Retriever:
            found, rollout = _under_way(session, principal, retriever)
            kept = find_version(session, principal, found.retriever_id, winner(rollout))
            if kept.version != found.version:
                found = _become(session, principal, found, kept, now)
            session.rollouts.end(principal, found.retriever_id, action)
            return found

        return await self._metadata.write(write)


Clicks = Mapping[str, frozenset[str]]
"""By execution, the documents that were liked."""
Judgements = tuple[Qrels, Mapping[str, ShadowRun]]
"""Both by the hash of the inputs."""


def agreement(runs: Iterable[ShadowRun]) -> Agreement:
    every = list(runs)
    asked = [one for one in every if one.skipped is None]
    whole = [one for one in asked if one.error is None]
    counts = {"skipped": len(every) - len(asked), "compared": len(asked), "failed": len(asked) - len(whole)}
    if not whole:
        return Agreement(**counts)
    live_ms, shadow_ms = median(one.live_ms for one in whole), median(one.shadow_ms for one in whole)
    return Agreement(
        **counts,
        identical=sum(one.live == one.shadow for one in whole),
        emptied=sum(bool(one.live) and not one.shadow for one in whole),
        overlap=fmean(overlap(one.live, one.shadow, K) for one in whole),
        rank_biased_overlap=fmean(rank_biased_overlap(one.live, one.shadow) for one in whole),
        slowdown=shadow_ms / live_ms if live_ms else None,
        baseline_ms=live_ms,
        candidate_ms=shadow_ms,
        baseline_credits=fmean(one.live_credits for one in whole),
        candidate_credits=fmean(one.shadow_credits for one in whole),
    )


def _judgements(session: Session, principal: Principal, runs: Iterable[ShadowRun], dataset: str) -> Judgements:
    """Each query once, by its newest run: the same inputs many times over would make chance look certain.

    Raises: NotFoundError.
    """
    found = find_dataset(session, principal, dataset)
    queries = {sha1_of(dict(one.query_input)): one for one in found.queries}
    newest: dict[str, ShadowRun] = {}
    for run in runs:
        if run.skipped is None and run.inputs_hash in queries:
            newest.setdefault(run.inputs_hash, run)
    if found.document_field is not None:
        newest = _renamed(session, principal, newest, found.document_field)
    return {key: grades_of(queries[key]) for key in newest}, newest


def _renamed(session: Session, principal: Principal, runs: Mapping[str, ShadowRun], field: str) -> dict[str, ShadowRun]:
    """Rankings in the names that judgements use. A document that is gone keeps its id, which nobody has judged."""
    ids = sorted({one for run in runs.values() for one in (*run.live, *run.shadow)})
    documents = session.documents.get_many(principal, ids)

    def names(ranking: Sequence[str]) -> tuple[str, ...]:
        return named([Hit(one, 0.0, documents.get(one)) for one in ranking], field)

    return {key: replace(run, live=names(run.live), shadow=names(run.shadow)) for key, run in runs.items()}


def _by_clicks(runs: Sequence[ShadowRun], clicks: Clicks) -> Quality:
    """What was liked is relevant. It was shown by the baseline alone, which this favours; each inputs once."""
    newest: dict[str, ShadowRun] = {}
    for run in runs:
        if run.skipped is None and clicks.get(run.execution_id):
            newest.setdefault(run.inputs_hash, run)
    if not newest:
        return Quality(0, {})
    return _compared({key: dict.fromkeys(clicks[run.execution_id], 1) for key, run in newest.items()}, newest)


def _compared(qrels: Qrels, runs: Mapping[str, ShadowRun]) -> Quality:
    baseline = measure(qrels, {key: scored(run.live) for key, run in runs.items()}, _METRICS, [K])
    candidate = measure(qrels, {key: scored(run.shadow) for key, run in runs.items()}, _METRICS, [K])
    return Quality(len(baseline), compare(baseline, candidate))


def _clicks(session: Session, principal: Principal, runs: Iterable[ShadowRun]) -> Clicks:
    """Of documents that the execution showed: what somebody else tells changes nothing."""
    found = {}
    for run in runs:
        told = session.interactions.of_execution(principal, run.execution_id)
        liked = {one.feature_id for one in told if LIKING.intersection(one.types)}
        found[run.execution_id] = frozenset(liked & {*run.live})
    return found


def _drafted(
    session: Session, principal: Principal, found: Retriever, draft: RolloutDraft, serving: int, now: datetime
) -> Rollout:
    candidate = found.version if draft.candidate_version is None else draft.candidate_version
    baseline = serving if draft.baseline_version is None else draft.baseline_version
    if draft.candidate is not None and draft.candidate_version is not None:
        raise ValidationError.at([_BODY, "candidate_version"], "a candidate that is another retriever has its newest")
    for version in (candidate, baseline):
        find_version(session, principal, found.retriever_id, version)
    return Rollout(
        new_id("rol"), found.retriever_id, baseline, candidate, now, now, draft.live_share, draft.shadow_share,
        draft.max_runs, draft.max_credits, draft.max_time_ms, principal.user_id or None,
    )  # fmt: skip


def _become(session: Session, principal: Principal, found: Retriever, other: Retriever, now: datetime) -> Retriever:
    """What `other` runs, as the newest version."""
    changed = replace(
        found, definition=other.definition, version=found.version + 1, updated_at=now,
        updated_by=principal.user_id or None,
    )  # fmt: skip
    for one in (found, changed):
        session.retriever_versions.put(principal, version_of(one))
    return session.retrievers.replace(principal, changed)


def _under_way(session: Session, principal: Principal, retriever: str) -> tuple[Retriever, Rollout]:
    found = find_retriever(session, principal, retriever)
    rollout = session.rollouts.get(principal, found.retriever_id)
    if rollout is None:
        raise NotFoundError(f"nothing of retriever {found.name!r} is rolled out", resource="rollout", id=retriever)
    return found, rollout


def _asked(session: Session, principal: Principal, run: ShadowRun) -> str | None:
    stored = session.executions.get(principal, run.execution_id)
    return None if stored is None else stored.header.query_summary


def _versions(rollout: Rollout) -> tuple[int, int]:
    return rollout.baseline_version, rollout.candidate_version


def _worst(run: ShadowRun) -> tuple[bool, bool, float, str]:
    return run.skipped is not None, run.error is None, rank_biased_overlap(run.live, run.shadow), run.execution_id
