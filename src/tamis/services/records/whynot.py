"""Why a document is not among what a past execution answered, and what would let it in, tried out before it is said."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tamis.engine.planning.conditions import PASSED_OVER
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.running.executor import Executor
from tamis.engine.tape import untaped
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.errors import ConflictError, NotFoundError, TamisError
from tamis.executions.codec import decode
from tamis.executions.record import Record, StageOutcome
from tamis.executions.whynot import Passage, is_mentioned, passages, stopped_at
from tamis.model.document import Document
from tamis.model.edits import Edit, applied
from tamis.model.execution import ExecutionStatus
from tamis.model.filters import to_json
from tamis.model.json import JSON
from tamis.model.matching import matches
from tamis.model.principal import Principal
from tamis.services.records.execution_records import ExecutionRecords, shown_pagination
from tamis.services.records.past_run import PastRun, documents_of, hits_of, past_run, planned
from tamis.services.runs.recording import Recording
from tamis.services.runs.series import final_ranking

PAGE = "pagination"
_TRIES = 12
_TRY_S = 10.0


@dataclass(frozen=True, slots=True)
class StageVerdict:
    """stage_index: None for the page, which comes after the stages."""

    stage_name: str
    verdict: Verdict
    stage_index: int | None = None
    stage_id: str | None = None
    rank_in: int | None = None
    rank_out: int | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Edits to the frozen definition, in order; one that begins with `pagination` is to the request.

    outcome: what the changed definition did when it was run: `returned`, `stops_later`; `unchecked` where it was not.
    rank: in its ranking.  stopped_at: where it stops then.  note: why it was not checked, or that none is needed.
    """

    edits: tuple[Edit, ...]
    outcome: str
    rank: int | None = None
    stopped_at: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AsOf:
    """What the answer rests on. Ranks that the record does not hold are computed by the index as it is at `at`.

    ran_at: when the execution began.  document: `unchanged`, `changed` (since it ran), `created` (after it ran) or
    `deleted`.  collections_changed: whether any that was searched has been written to since.
    """

    at: datetime
    ran_at: datetime
    document: str
    collections_changed: bool


@dataclass(frozen=True, slots=True)
class Why:
    """rank: in the execution's whole ranking.  stopped_at: the name of the stage, or `pagination`."""

    execution_id: str
    document_id: str
    returned: bool
    stages: tuple[StageVerdict, ...]
    as_of: AsOf
    rank: int | None = None
    stopped_at: str | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """One run walked for one document. stop: the stage's name; None where the document came through."""

    stages: tuple[StageVerdict, ...]
    stop: str | None
    verdict: Verdict | None = None
    rank: int | None = None


@dataclass(slots=True)
class _Trial:
    """edits: those tried so far, in order."""

    edits: list[Edit] = field(default_factory=list)
    best: Change | None = None


class WhyService:
    """Reads records and asks stages; runs pipelines only to try a change out, without a record and without effects."""

    def __init__(
        self, metadata: Metadata, records: ExecutionRecords, planner: Planner, executor: Executor, clock: Clock
    ) -> None:
        self._metadata = metadata
        self._records = records
        self._planner = planner
        self._executor = executor
        self._clock = clock

    async def why(
        self,
        principal: Principal,
        execution_id: str,
        document_id: str,
        retriever: str | None = None,
        check: bool = True,
    ) -> Why:
        """check: whether to try the change out.

        Raises: NotFoundError for the execution, and for a document that neither is there nor was seen;
        ConflictError while the execution runs.
        """
        stored = await self._records.find(principal, execution_id, retriever)
        if stored.header.status is ExecutionStatus.PROCESSING:
            raise ConflictError("the execution is still running; ask again when it has ended")
        page = decode(stored)
        series = await self._metadata.read(lambda session: _series(session, principal, page))
        record = series or page
        run, document, as_of = await self._metadata.read(
            lambda session: self._read(session, principal, record, document_id)
        )
        found = await self._walk(run, document_id, document, as_of.document)
        found = _paged(found, page, series, document_id)
        change = await self._change(run, found, document) if check or found.stop == PAGE else _unchecked(found)
        return Why(execution_id, document_id, found.stop is None, found.stages, as_of, found.rank, found.stop, change)

    def _read(
        self, session: Session, principal: Principal, record: Record, document_id: str
    ) -> tuple[PastRun, Document | None, AsOf]:
        run = past_run(session, principal, self._planner, record)
        document = session.documents.get_many(principal, [document_id]).get(document_id)
        mentioned = is_mentioned(record, document_id)
        if document is None and not mentioned:
            raise NotFoundError.of("document", document_id)
        revisions = {one.collection_id: one.revision for one in run.collections}
        moved = any(revisions.get(one.collection_id) != one.revision for one in record.collections)
        state = _state(record, document, mentioned)
        return run, document, AsOf(self._clock.now(), record.header.started_at, state, moved)

    async def _walk(self, run: PastRun, document_id: str, document: Document | None, state: str) -> _Found:
        way = passages(run.record, document_id)
        stop = stopped_at(way, run.brings()) if way else None
        told = [await self._told(run, way, n, stop, document_id, document, state) for n in range(len(way))]
        rest = _not_begun(run, len(way))
        if way and stop is None:
            return _Found((*told, *rest), None, None, way[-1].rank_out)
        if stop is None:
            return _Found(tuple(rest), rest[0].stage_name if rest else None, rest[0].verdict if rest else None)
        return _Found((*told, *rest), way[stop].stage_name, told[stop].verdict)

    async def _told(
        self, run: PastRun, way: Sequence[Passage], n: int, stop: int | None, document_id: str,
        document: Document | None, state: str,
    ) -> StageVerdict:  # fmt: skip
        passage = way[n]
        if n == stop:
            verdict = _run_ended(run, n, passage.rank_in) or await self._asked(run, n, document_id, document, state)
        elif stop is not None and n > stop:
            verdict = Verdict(VerdictKind.NOT_REACHED, "it had been stopped before")
        elif passage.rank_out is not None:
            verdict = Verdict(VerdictKind.PASSED, f"it came out as number {passage.rank_out} of {passage.returned}")
        else:
            verdict = Verdict(VerdictKind.NOT_REACHED, "it was not there; a later stage looks for documents by itself")
        return StageVerdict(
            passage.stage_name, verdict, passage.index, passage.stage_id, passage.rank_in, passage.rank_out,
            passage.score,
        )  # fmt: skip

    async def _asked(self, run: PastRun, n: int, document_id: str, document: Document | None, state: str) -> Verdict:
        """What the stage says itself."""
        stage = run.record.stages[n]
        if state == "created":
            reason = "the execution ran before this document was made"
            return Verdict(VerdictKind.NOT_YET_THERE, reason)
        ids = [hit.id for hit in (*stage.received, *stage.returned) if hit.is_document]
        seen = await self._metadata.read(
            lambda session: documents_of(session, run.principal, run.record, [*ids, document_id])
        )
        received, returned = hits_of(stage.received, seen), hits_of(stage.returned, seen)
        known = seen.get(document_id)
        hidden = None if known is None else _hidden(run, known)
        if hidden is not None:
            return hidden
        if run.plan is None or known is None:
            rank = next((p for p, hit in enumerate(stage.received, start=1) if hit.id == document_id), None)
            place = f"it came in as number {rank} of {len(received)}" if rank else "it was no candidate"
            return Verdict(VerdictKind.DROPPED, f"{place}; {len(returned)} came out", {"rank": rank})
        planned_stage = run.plan.stages[stage.index]
        case = Case(known, received, returned, stage.metadata, run.definition, stage.index, planned_stage.stage)
        return await run.inquiry(self._executor.environment).ask(planned_stage, run.parameters(n), case)

    async def _change(self, run: PastRun, found: _Found, document: Document | None) -> Change | None:
        """Edits added stop by stage until the changed definition returns the document."""
        if found.stop == PAGE and found.verdict is not None:
            return Change(found.verdict.edits, "returned", found.rank)
        if found.stop is None or found.verdict is None or document is None:
            return None
        not_tried = _untriable(run)
        if not_tried is not None:
            return _unchecked(found, not_tried)
        trial = _Trial()
        try:
            async with asyncio.timeout(_TRY_S):
                await self._try(run, found, document, trial)
        except TimeoutError:
            return trial.best or _unchecked(found, f"trying it out took more than {_TRY_S:g} s")
        return trial.best

    async def _try(self, run: PastRun, found: _Found, document: Document, trial: _Trial) -> None:
        names = [stage.stage_name for stage in found.stages]
        began, latest = names.index(found.stop or ""), found
        for _ in range(_TRIES):
            more = latest.verdict.edits if latest.verdict else ()
            if not more and latest is not found:
                return
            trial.edits = _joined(trial.edits, more)
            changed = await self._run(run, tuple(trial.edits))
            if changed is None:
                return
            latest = await self._walk(changed, document.document_id, document, "unchanged")
            if latest.stop is None:
                note = None if trial.edits else "as things are now it is returned without any change"
                edits = (*trial.edits, *_page_edit(run.record, latest.rank))
                trial.best = Change(edits, "returned", latest.rank, None, note)
                return
            if names.index(latest.stop) > began and trial.edits:
                trial.best = Change(tuple(trial.edits), "stops_later", None, latest.stop)

    async def _run(self, run: PastRun, edits: tuple[Edit, ...]) -> PastRun | None:
        """The changed definition, run as a caller would run it, on today's data; None where it cannot be."""
        try:
            definition = applied(dict(run.definition), edits)
            changed = await self._metadata.read(
                lambda session: planned(session, run.principal, self._planner, run.record, definition, run.inputs)
            )
            if changed.plan is None:
                return None
            recording = Recording(changed.plan, replace(changed.request(), tapes=untaped))
            await self._executor.run(changed.plan, recording.request, recording)
        except TamisError:
            return None
        return replace(changed, record=decode(recording.record().execution))


def _hidden(run: PastRun, document: Document) -> Verdict | None:
    """Where the caller could not see it, no stage had a say."""
    narrowing = run.narrowing
    times = {"created_at": document.created_at.isoformat(), "updated_at": document.updated_at.isoformat()}
    if narrowing is None or matches(narrowing, {**times, **document.view()}):
        return None
    reason = "the filter of the caller's client token does not let it through"
    return Verdict(VerdictKind.FILTERED, reason, {"filter": "narrowing", "narrowing": to_json(narrowing)})


def _series(session: Session, principal: Principal, page: Record) -> Record | None:
    """The record whose ranking this page was cut from; None where it ran itself."""
    keys = {stage.cache_key for stage in page.stages}
    key = next(iter(keys)) if len(keys) == 1 else None
    if key is None or not key.startswith("exec_"):
        return None
    stored = session.executions.get(principal, key)
    return decode(stored) if stored else None


def _state(record: Record, document: Document | None, mentioned: bool) -> str:
    if document is None:
        return "deleted"
    if document.document_id in record.revisions:
        return "unchanged" if record.revisions[document.document_id] == document.revision else "changed"
    if document.created_at > record.header.started_at and not mentioned:
        return "created"
    revisions = {one.collection_id: one.revision for one in record.collections}
    return "changed" if document.revision > revisions.get(document.collection_id, document.revision) else "unchanged"


def _run_ended(run: PastRun, n: int, rank: int | None) -> Verdict | None:
    """The stage itself did not end as it should."""
    stage = run.record.stages[n]
    if stage.outcome is StageOutcome.COMPLETED:
        return None
    if stage.outcome is StageOutcome.PASSED_OVER:
        when = run.definition["stages"][n]["options"]["when"]
        free = (Edit(("stages", n, "options", "when"), when, True),)
        reason = f"this stage was passed over: {stage.metadata.get(PASSED_OVER)}"
        return Verdict(VerdictKind.PASSED_OVER, reason, {"rank": rank}, free)
    said = {
        StageOutcome.FAILED: "the run failed in this stage",
        StageOutcome.SKIPPED: "this stage failed and was skipped",
        StageOutcome.CUT: "the budget ended the run here",
    }[stage.outcome]
    edits: tuple[Edit, ...] = ()
    if stage.limit is not None:
        edits = (Edit(("budget", stage.limit), run.definition["budget"].get(stage.limit), None),)
    return Verdict(VerdictKind.RUN_ENDED, f"{said}: {stage.error}", {"rank": rank}, edits)


def _not_begun(run: PastRun, begun: int) -> list[StageVerdict]:
    rest = run.definition["stages"][begun:]
    verdict = Verdict(VerdictKind.NOT_REACHED, "the run had ended before this stage")
    return [
        StageVerdict(stage["stage_name"], verdict, n, stage["stage_id"]) for n, stage in enumerate(rest, start=begun)
    ]


def _paged(found: _Found, page: Record, series: Record | None, document_id: str) -> _Found:
    """Where the document came through and was on another page than the one shown."""
    if found.stop is not None or found.rank is None:
        return found
    shown = final_ranking(page)
    start = _number(shown_pagination(page).get("start"))
    window = shown[start : start + page.header.total_returned]
    if any(hit.id == document_id for hit in window):
        return found
    total, first = len(shown) if series is None else None, start + 1
    reason = f"it is number {found.rank} of the ranking, and another page of it was shown"
    facts: dict[str, JSON] = {"rank": found.rank, "shown_from": first, "shown": len(window), "total": total}
    edits = (Edit((PAGE, "limit"), len(window), found.rank),)
    verdict = Verdict(VerdictKind.ON_ANOTHER_PAGE, reason, facts, edits)
    return replace(found, stages=(*found.stages, StageVerdict(PAGE, verdict)), stop=PAGE, verdict=verdict)


def _page_edit(record: Record, rank: int | None) -> tuple[Edit, ...]:
    """The page that was asked for may be too short for the place that the document has then."""
    shown = shown_pagination(record)
    size, total = _number(shown.get("limit")), shown.get("total")
    is_short = size and rank and rank > size and size != total
    return (Edit((PAGE, "limit"), size, rank),) if is_short else ()


def _number(value: JSON) -> int:
    return value if isinstance(value, int) else 0


def _untriable(run: PastRun) -> str | None:
    if run.plan is None:
        return "the definition can no longer be run: something that it names is gone"
    if run.record.left_out:
        return f"the namespace's policy keeps {', '.join(run.record.left_out)} out of its records"
    reaching = [stage.spec.stage_name for stage in run.plan.stages if stage.effects]
    return f"{', '.join(reaching)} would have to reach outside or spend" if reaching else None


def _unchecked(found: _Found, note: str = "it was not tried out") -> Change | None:
    edits = found.verdict.edits if found.verdict else ()
    return Change(edits, "unchecked", note=note) if edits else None


def _joined(edits: Sequence[Edit], more: Sequence[Edit]) -> list[Edit]:
    """Edits in order; a second one at the same place takes the place of the first."""
    joined = list(edits)
    for edit in more:
        same = next((n for n, one in enumerate(joined) if one.path == edit.path and one.after is not None), None)
        if same is None:
            joined.append(edit)
        else:
            joined[same] = replace(edit, before=joined[same].before)
    return joined
