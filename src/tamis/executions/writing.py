"""A record that did not run here, written as if it had: what an import stores."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tamis.executions.calls import pack_calls
from tamis.executions.codec import Body, CollectionRow, Hits, StageRow, encode, encode_part
from tamis.executions.columns import Columns, Ranking
from tamis.executions.record import Record, RecordedHit, RecordedStage
from tamis.executions.recorder import Recorded
from tamis.executions.references import externalize, json_text
from tamis.model.document import Document, Lineage
from tamis.model.execution import StoredExecution
from tamis.model.hits import Hit

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def stored_of(record: Record) -> Recorded:
    """The record as the recorder would have written it; `codec.decode` gives it back."""
    blobs: dict[str, bytes] = {}
    writer = _Writer(record)
    stages: list[StageRow] = []
    before: Hits = ()
    for stage in record.stages:
        stages.append(writer.row(stage, before, blobs))
        before = stage.returned
    for row, stage in zip(stages, record.stages, strict=True):
        row.calls = pack_calls(stage.calls, writer.columns)
    imported = record.imported
    body = Body(
        definition=encode_part(externalize(record.definition, blobs)),
        definition_hash=bytes.fromhex(record.definition_hash),
        retriever_version=record.retriever_version,
        seed=record.seed,
        code_version=record.code_version,
        models=dict(record.models),
        collections=[
            CollectionRow(one.collection_id, one.extractor_id, one.revision, one.version) for one in record.collections
        ],
        ids=writer.columns.ids(),
        revisions=writer.columns.revisions,
        stages=stages,
        warnings=list(record.warnings),
        error=(record.error.code, record.error.message, dict(record.error.details)) if record.error else None,
        replay=(record.replay.of, record.replay.mode) if record.replay else None,
        traceparent=record.traceparent,
        left_out=list(record.left_out),
        imported=(imported.retriever_id, imported.mode, externalize(dict(imported.documents), blobs))
        if imported
        else None,
        is_taped=record.is_taped,
        narrowing=dict(record.narrowing) if record.narrowing else None,
    )
    inputs = "" if "inputs" in record.left_out else json_text(externalize(dict(record.inputs), blobs))
    return Recorded(StoredExecution(record.header, inputs, encode(body)), blobs)


class _Writer:
    def __init__(self, record: Record) -> None:
        self.columns = Columns()
        self._revisions = record.revisions
        self._documents: dict[str, Document] = {}

    def row(self, stage: RecordedStage, before: Hits, blobs: dict[str, bytes]) -> StageRow:
        return StageRow(
            index=stage.index,
            outcome=stage.outcome.value,
            parameters=externalize(dict(stage.parameters), blobs),
            received=None if stage.received == before else self._write(stage.received),
            returned=None if stage.returned == stage.received else self._write(stage.returned),
            processed=stage.processed,
            duration_ms=stage.duration_ms,
            credits_used=stage.credits_used,
            tokens_used=stage.tokens_used,
            llm_calls=stage.llm_calls,
            cache_key=stage.cache_key,
            cache_hit=stage.cache_hit,
            metadata=dict(stage.metadata),
            warnings=list(stage.warnings),
            error=stage.error,
            limit=stage.limit,
            credits_saved=stage.credits_saved,
            shrunk=dict(stage.shrunk),
        )

    def _write(self, hits: Sequence[RecordedHit]) -> Ranking:
        return self.columns.write([self._hit(hit) for hit in hits])

    def _hit(self, hit: RecordedHit) -> Hit:
        return Hit(hit.id, hit.score, self._document(hit.id) if hit.is_document else None, hit.scores, hit.extra)

    def _document(self, document_id: str) -> Document:
        """As much of it as a record holds: its id and its revision."""
        if document_id not in self._documents:
            revision = self._revisions.get(document_id, 0)
            self._documents[document_id] = Document(
                document_id, "", {}, _NEVER, _NEVER, Lineage(), revision=revision
            )  # fmt: skip
        return self._documents[document_id]
