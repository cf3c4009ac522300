"""Versions of taxonomies, and what they said of documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, case, delete, func, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.taxonomy import Assignment, AssignmentFigure, EnrichmentFigure, LabelFigure, TaxonomyVersion
from tamis.storage.metadata.codec import Codec, from_micros, to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import documents
from tamis.storage.metadata.taxonomy_tables import taxonomy_assignments, taxonomy_hours, taxonomy_versions

_CODEC = Codec(TaxonomyVersion)
_MILLION = 1_000_000
_HOUR_S = 3600
_SCOPE = ("organization_id", "namespace_id")
_v, _a, _h = taxonomy_versions.c, taxonomy_assignments.c, taxonomy_hours.c
_OF = (*_SCOPE, "taxonomy_id")
_versions, _labels, _hours = (and_(*(c[name] == bindparam(name) for name in _OF)) for c in (_v, _a, _h))

_PUT_VERSION = insert(taxonomy_versions).on_conflict_do_nothing()
_GET_VERSION = select(_v.body).where(_versions, _v.version == bindparam("of_version"))
_LIST_VERSIONS = select(_v.body).where(_versions).order_by(_v.version.desc())
_DELETE_VERSIONS = delete(taxonomy_versions).where(_versions)

_PRESENT = select(documents.c.document_id).where(
    *(documents.c[name] == bindparam(name) for name in _SCOPE), one_of(documents.c.document_id, "ids")
)
_PUT = plain_insert(taxonomy_assignments)
_DROP = delete(taxonomy_assignments).where(_labels, one_of(_a.document_id, "ids"))
_DELETE = delete(taxonomy_assignments).where(_labels)
_new_hour = insert(taxonomy_hours)
_COUNTS = ("labelled", "unlabelled", "duration_us")
_NOTE = _new_hour.on_conflict_do_update(
    index_elements=list(taxonomy_hours.primary_key),
    set_={name: _h[name] + getattr(_new_hour.excluded, name) for name in _COUNTS},
)
_DELETE_HOURS = delete(taxonomy_hours).where(_hours)

_within = and_(_labels, _a.assigned_at >= bindparam("since"), _a.assigned_at < bindparam("until"))
_span = (_a.assigned_at // bindparam("span_us", type_=BigInteger)).label("span")
_total = func.sum(_a.confidence).label("total")
_BY_TIME = (
    select(_span, func.count(), func.count(_a.label.distinct()), _total)
    .where(_within)
    .group_by("span")
    .order_by("span")
)
_count = func.count().label("labels")
_BY_LABEL = select(_a.label, _count, _total).where(_within).group_by(_a.label).order_by(_count.desc(), _a.label)
_BY_LABEL_FIRST = _BY_LABEL.limit(bindparam("limit"))
_BY_NODE = select(_a.node_id, func.min(_a.label), _count, _total).where(_labels).group_by(_a.node_id)
_tenth = case((_a.confidence >= _MILLION, 9), (_a.confidence < 0, 0), else_=_a.confidence // 100_000).label("tenth")
_BY_CONFIDENCE = select(_tenth, _count, _total).where(_within).group_by("tenth").order_by("tenth")
_BY_HOUR = (
    select(_h.hour, *(_h[name] for name in _COUNTS))
    .where(_hours, _h.hour >= bindparam("since"), _h.hour < bindparam("until"))
    .order_by(_h.hour)
)
_BEST_OF = (
    select(_a.document_id, _a.node_id, _a.label, _a.confidence, _a.level, _a.rank, _a.version)
    .where(
        _labels, _a.collection_id == bindparam("of_collection"), _a.rank == bindparam("best"),
        _a.document_id > bindparam("after"),
    )
    .order_by(_a.document_id)
    .limit(bindparam("limit"))
)  # fmt: skip


class SqlTaxonomyVersions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def put(self, principal: Principal, taxonomy_id: str, version: TaxonomyVersion) -> None:
        """One that is there stays as it is."""
        row = {"version": version.version, "created_at": to_micros(version.created_at)}
        self._link.run(_PUT_VERSION, {**_of(principal, taxonomy_id), **row, "body": _CODEC.encode(version)})

    def get(self, principal: Principal, taxonomy_id: str, version: int) -> TaxonomyVersion | None:
        body = self._link.value(_GET_VERSION, {**_of(principal, taxonomy_id), "of_version": version})
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal, taxonomy_id: str) -> Sequence[TaxonomyVersion]:
        """Newest first."""
        rows = self._link.rows(_LIST_VERSIONS, _of(principal, taxonomy_id))
        return [_CODEC.decode(body) for (body,) in rows]

    def delete(self, principal: Principal, taxonomy_id: str) -> int:
        return self._link.run(_DELETE_VERSIONS, _of(principal, taxonomy_id))


class SqlAssignments:
    def __init__(self, link: Link) -> None:
        self._link = link

    def put(
        self, principal: Principal, taxonomy_id: str, collection_id: str, document_ids: Sequence[str],
        assignments: Sequence[Assignment], at: datetime,
    ) -> None:  # fmt: skip
        """In place of all labels that these documents have of the taxonomy."""
        ids = self._link.array(document_ids)
        self._link.run(_DROP, {**_of(principal, taxonomy_id), "ids": ids})
        present = {document_id for (document_id,) in self._link.rows(_PRESENT, {**scope(principal), "ids": ids})}
        mine = {**_of(principal, taxonomy_id), "collection_id": collection_id, "assigned_at": to_micros(at)}
        self._link.run_many(_PUT, [{**mine, **_row(one)} for one in assignments if one.document_id in present])

    def note(
        self, principal: Principal, taxonomy_id: str, at: datetime, labelled: int, unlabelled: int, duration_us: int
    ) -> None:
        """That it was applied to so many documents."""
        counts = dict(zip(_COUNTS, (labelled, unlabelled, duration_us), strict=True))
        hour = int(at.timestamp()) // _HOUR_S * _HOUR_S
        self._link.run(_NOTE, {**_of(principal, taxonomy_id), "hour": hour, **counts})

    def delete(self, principal: Principal, taxonomy_id: str) -> int:
        """All that it said; how many labels there were."""
        self._link.run(_DELETE_HOURS, _of(principal, taxonomy_id))
        return self._link.run(_DELETE, _of(principal, taxonomy_id))

    def by_time(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime, span_s: int
    ) -> Sequence[AssignmentFigure]:
        """Spans with labels, oldest first; spans count from 1970."""
        span_us = span_s * _MILLION
        rows = self._link.rows(_BY_TIME, {**_times(principal, taxonomy_id, since, until), "span_us": span_us})
        return [
            AssignmentFigure(from_micros(int(span) * span_us), count, labels, _mean(total, count))
            for span, count, labels, total in rows
        ]

    def by_label(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime, limit: int | None = None
    ) -> Sequence[LabelFigure]:
        """The most frequent first, then by label."""
        bounds = _times(principal, taxonomy_id, since, until)
        if limit is None:
            rows = self._link.rows(_BY_LABEL, bounds)
        else:
            rows = self._link.rows(_BY_LABEL_FIRST, {**bounds, "limit": limit})
        return [LabelFigure(label, count, _mean(total, count)) for label, count, total in rows]

    def by_node(self, principal: Principal, taxonomy_id: str) -> Mapping[str, LabelFigure]:
        """By node id, of all times."""
        rows = self._link.rows(_BY_NODE, _of(principal, taxonomy_id))
        return {node: LabelFigure(label, count, _mean(total, count)) for node, label, count, total in rows}

    def by_confidence(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime
    ) -> Sequence[tuple[int, int, float]]:
        """(tenth, labels, sum of their confidences), the lowest first."""
        rows = self._link.rows(_BY_CONFIDENCE, _times(principal, taxonomy_id, since, until))
        return [(int(tenth), count, int(total) / _MILLION) for tenth, count, total in rows]

    def by_hour(
        self, principal: Principal, taxonomy_id: str, since: datetime, until: datetime
    ) -> Sequence[EnrichmentFigure]:
        """Hours in which it was applied, oldest first."""
        bounds = {"since": int(since.timestamp()), "until": int(until.timestamp())}
        rows = self._link.rows(_BY_HOUR, {**_of(principal, taxonomy_id), **bounds})
        return [EnrichmentFigure(from_micros(hour * _MILLION), *counts) for hour, *counts in rows]

    def best_of(
        self, principal: Principal, taxonomy_id: str, collection_id: str, after: str, limit: int
    ) -> Sequence[Assignment]:
        """The best label of each document of a collection, by document id."""
        bounds = {"of_collection": collection_id, "after": after, "limit": limit, "best": 0}
        rows = self._link.rows(_BEST_OF, {**_of(principal, taxonomy_id), **bounds})
        return [
            Assignment(document, node, label, confidence / _MILLION, level, rank, version)
            for document, node, label, confidence, level, rank, version in rows
        ]


def _row(one: Assignment) -> dict[str, Any]:
    return {
        "document_id": one.document_id,
        "node_id": one.node_id,
        "label": one.label,
        "confidence": round(one.confidence * _MILLION),
        "level": one.level,
        "rank": one.rank,
        "version": one.version,
    }


def _mean(total: Any, count: int) -> float:
    return int(total) / count / _MILLION


def _of(principal: Principal, taxonomy_id: str) -> dict[str, Any]:
    return {**scope(principal), "taxonomy_id": taxonomy_id}


def _times(principal: Principal, taxonomy_id: str, since: datetime, until: datetime) -> dict[str, Any]:
    return {**_of(principal, taxonomy_id), "since": to_micros(since), "until": to_micros(until)}
