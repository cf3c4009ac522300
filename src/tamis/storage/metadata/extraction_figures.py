"""What batches made of sources, added up by hour, extractor, outcome and duration."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.figures import ExtractionFigures
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.execution_figures import HOUR
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import extraction_figures

NO_STEP = -1
_c = extraction_figures.c
_KEY = [column.name for column in extraction_figures.primary_key]
_SUMS = ("sources", "duration_us", "documents")
_new = insert(extraction_figures)
_ADD = _new.on_conflict_do_update(index_elements=_KEY, set_={name: _c[name] + _new.excluded[name] for name in _SUMS})
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_this = _c.collection_id == bindparam("collection_id")
_BETWEEN = (
    select(*(_c[name] for name in (*_KEY[2:], *_SUMS)))
    .where(_mine, _c.hour >= bindparam("first"), _c.hour < bindparam("end"))
    .order_by(*(_c[name] for name in _KEY[2:]))
)
_OF_COLLECTION = _BETWEEN.where(_this)
_DELETE = delete(extraction_figures).where(_mine, _this)


class _Gathered:
    def __init__(self) -> None:
        self.sums = [0] * len(_SUMS)
        self.steps: Counter[int] = Counter()


class SqlExtractions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, principal: Principal, figures: Sequence[ExtractionFigures]) -> None:
        """In the order of their keys, so that no two writers wait for each other."""
        rows = [row for one in figures for row in _rows(principal, one)]
        self._link.run_many(_ADD, sorted(rows, key=lambda row: tuple(row[name] for name in _KEY)))

    def between(
        self, principal: Principal, start: datetime, end: datetime, collection_id: str | None = None
    ) -> Sequence[ExtractionFigures]:
        asked = {**scope(principal), "first": to_micros(start) // HOUR, "end": to_micros(end) // HOUR}
        if collection_id is None:
            rows = self._link.rows(_BETWEEN, asked)
        else:
            rows = self._link.rows(_OF_COLLECTION, {**asked, "collection_id": collection_id})
        found: defaultdict[tuple[Any, ...], _Gathered] = defaultdict(_Gathered)
        for *key, step, sources, duration_us, documents in rows:
            gathered = found[tuple(key)]
            gathered.sums = [a + b for a, b in zip(gathered.sums, (sources, duration_us, documents), strict=True)]
            if step != NO_STEP:
                gathered.steps[step] += sources
        return [_figures(key, one) for key, one in found.items()]

    def delete(self, principal: Principal, collection_id: str) -> int:
        return self._link.run(_DELETE, {**scope(principal), "collection_id": collection_id})


def _figures(key: tuple[Any, ...], one: _Gathered) -> ExtractionFigures:
    collection_id, hour, name, version, outcome = key
    sources, duration_us, documents = one.sums
    return ExtractionFigures(collection_id, hour, name, version, outcome, sources, duration_us, documents, one.steps)


def _rows(principal: Principal, one: ExtractionFigures) -> list[dict[str, Any]]:
    """One for each step; the documents and what it took all together stand in the first."""
    key = {
        **scope(principal),
        "collection_id": one.collection_id,
        "hour": one.hour,
        "extractor_name": one.extractor_name,
        "extractor_version": one.extractor_version,
        "outcome": one.outcome,
    }
    steps = one.steps or {NO_STEP: one.sources}
    rows = [{**key, "step": step, "sources": count, "duration_us": 0, "documents": 0} for step, count in steps.items()]
    rows[0].update(duration_us=one.duration_us, documents=one.documents)
    return rows
