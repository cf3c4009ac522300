"""A series of pages: the ranking that its first execution left, from memory or from its record."""

from dataclasses import replace

from tamis.engine.events import StageFinished
from tamis.engine.ports.metadata import Metadata
from tamis.engine.run import RunResult
from tamis.errors import ValidationError
from tamis.executions.codec import decode
from tamis.executions.record import Record, RecordedHit
from tamis.model.execution import ANONYMOUS, ExecutionStatus
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.principal import Principal
from tamis.services.runs.execution_runs import Job, reader_of
from tamis.services.runs.result_pages import CursorExpiredError
from tamis.services.runs.snapshots import Snapshot, SnapshotStore

_ENDED_WELL = (ExecutionStatus.COMPLETED, ExecutionStatus.DEGRADED)


class Series:
    def __init__(self, metadata: Metadata, snapshots: SnapshotStore) -> None:
        self._metadata = metadata
        self._snapshots = snapshots

    async def find(self, job: Job) -> Snapshot | None:
        """The ranking that the request goes on with; None where the pipeline has to run.

        Raises: CursorExpiredError; ValidationError where the cursor is of another pipeline or other inputs.
        """
        page = job.options.page
        if page.is_first:
            return None
        position = page.continues()
        if position is None:
            return self._snapshots.newest(job.principal, job.fingerprint)
        kept = self._snapshots.get(job.principal, position.execution_id)
        snapshot = kept or await self._restore(job.principal, position.execution_id)
        if snapshot is None:
            raise CursorExpiredError
        _check_same(job, snapshot)
        if kept is None:
            self._snapshots.put(job.principal, snapshot, page.keep_s)
        return snapshot

    def keep(self, job: Job, execution_id: str, result: RunResult) -> None:
        """Leave the ranking for the next page."""
        snapshot = Snapshot(
            execution_id,
            job.owner,
            job.plan.hash,
            job.inputs_hash,
            job.fingerprint,
            result.hits,
            processed=tuple(end.processed if isinstance(end, StageFinished) else 0 for end in result.stages),
            reader=job.reader,
        )
        self._snapshots.put(job.principal, snapshot, job.options.page.keep_s)

    async def documents(self, principal: Principal, snapshot: Snapshot, window: Hits) -> tuple[Hits, int]:
        """The window's hits with their documents, and how many of those are gone since."""
        ids = [hit.id for hit in window if hit.id in snapshot.bare]
        if not ids:
            return window, 0
        found = await self._metadata.read(lambda session: session.documents.get_many(principal, ids))
        whole = [replace(hit, document=found.get(hit.id)) if hit.id in snapshot.bare else hit for hit in window]
        kept = [hit for hit in whole if hit.document or hit.id not in snapshot.bare]
        return Hits.of(kept), len(whole) - len(kept)

    async def _restore(self, principal: Principal, execution_id: str) -> Snapshot | None:
        """The ranking as the record has it: after a restart, or once memory had to make room."""
        stored = await self._metadata.read(lambda session: session.executions.get(principal, execution_id))
        if stored is None or stored.header.status not in _ENDED_WELL:
            return None
        record = decode(stored)
        if record.left_out:  # what the next page would have to show, or to be compared with, was never written
            return None
        hits = final_ranking(record)
        return Snapshot(
            execution_id=execution_id,
            owner=stored.header.retriever_id or ANONYMOUS,
            definition_hash=record.definition_hash,
            inputs_hash=stored.header.inputs_hash or "",
            fingerprint="",
            ranking=Hits.of(Hit(hit.id, hit.score, None, hit.scores, hit.extra) for hit in hits),
            bare=frozenset(hit.id for hit in hits if hit.is_document),
            processed=tuple(stage.processed for stage in record.stages),
            reader=reader_of(stored.header.mode, parse_filter(record.narrowing)),
        )


def final_ranking(record: Record) -> tuple[RecordedHit, ...]:
    return record.stages[-1].returned if record.stages else ()


def _check_same(job: Job, snapshot: Snapshot) -> None:
    """A saved retriever may have been changed meanwhile: its series goes on with the ranking that it began with."""
    same_pipeline = job.retriever is not None or snapshot.definition_hash == job.plan.hash
    if (
        snapshot.reader != job.reader
        or snapshot.owner != job.owner
        or snapshot.inputs_hash != job.inputs_hash
        or not same_pipeline
    ):
        message = "this page belongs to another request; send it with the same pipeline and the same inputs"
        raise ValidationError.at(["body", "pagination"], message)
