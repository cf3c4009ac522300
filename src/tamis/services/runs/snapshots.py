"""Rankings kept for their next pages: the newest in memory, bounded in bytes and time."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from tamis.executions.references import json_text
from tamis.model.hits import Hit, Hits
from tamis.model.principal import Principal

_SAMPLE = 8
_HIT_BYTES = 1050


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the execution that began a series of pages ended with.

    owner: the saved retriever's id, or `anonymous`.  fingerprint: same key, pipeline, inputs and filters, same text.
    bare: ids of hits whose documents are to be read again, because the ranking came from a record.
    processed: how many documents each stage looked at.  reader: who may turn its pages (`Job.reader`).
    """

    execution_id: str
    owner: str
    definition_hash: str
    inputs_hash: str
    fingerprint: str
    ranking: Hits
    bare: frozenset[str] = frozenset()
    processed: tuple[int, ...] = ()
    reader: str = ""


@dataclass(slots=True)
class _Kept:
    snapshot: Snapshot
    size_bytes: int
    until: float
    tenant: tuple[str, str]


class SnapshotStore:
    """Least recently used rankings go first. What is gone can be read again from its record (see executions)."""

    def __init__(self, max_bytes: int = 128 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._newest: dict[tuple[str, str, str], str] = {}

    def put(self, principal: Principal, snapshot: Snapshot, keep_s: float) -> None:
        self._drop(snapshot.execution_id)
        size_bytes = _estimate(snapshot.ranking)
        if size_bytes > self._max_bytes // 4:
            return
        tenant = (principal.organization_id, principal.namespace_id)
        self._kept[snapshot.execution_id] = _Kept(snapshot, size_bytes, time.monotonic() + keep_s, tenant)
        self._newest[(*tenant, snapshot.fingerprint)] = snapshot.execution_id
        self._bytes += size_bytes
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def get(self, principal: Principal, execution_id: str) -> Snapshot | None:
        kept = self._kept.get(execution_id)
        if kept is None or kept.tenant != (principal.organization_id, principal.namespace_id):
            return None
        if kept.until < time.monotonic():
            self._drop(execution_id)
            return None
        self._kept.move_to_end(execution_id)
        return kept.snapshot

    def newest(self, principal: Principal, fingerprint: str) -> Snapshot | None:
        execution_id = self._newest.get((principal.organization_id, principal.namespace_id, fingerprint))
        return self.get(principal, execution_id) if execution_id else None

    def clear(self) -> None:
        self._kept.clear()
        self._newest.clear()
        self._bytes = 0

    def _drop(self, execution_id: str) -> None:
        kept = self._kept.pop(execution_id, None)
        if kept is None:
            return
        self._bytes -= kept.size_bytes
        key = (*kept.tenant, kept.snapshot.fingerprint)
        if self._newest.get(key) == execution_id:
            del self._newest[key]


def _estimate(ranking: Hits) -> int:
    """Bytes that a ranking holds in memory, from a sample: the fields' JSON, doubled for Python's objects."""
    if not ranking:
        return _HIT_BYTES
    step = max(1, len(ranking) // _SAMPLE)
    sample = [_fields_bytes(hit) for hit in ranking[::step]]
    return len(ranking) * (_HIT_BYTES + 2 * sum(sample) // len(sample))


def _fields_bytes(hit: Hit) -> int:
    fields = hit.document.fields if hit.document else {}
    return len(json_text([dict(fields), dict(hit.extra)]))
