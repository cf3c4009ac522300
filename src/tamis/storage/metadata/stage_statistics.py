"""Means of what stages did, by fingerprint."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.stage_means import Means
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import stage_statistics

_c = stage_statistics.c
_MINE = (_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_FIND = select(_c.fingerprint, _c.body).where(*_MINE, one_of(_c.fingerprint, "fingerprints"))
_insert = insert(stage_statistics)
_PUT = _insert.on_conflict_do_update(
    index_elements=[_c.organization_id, _c.namespace_id, _c.fingerprint],
    set_={"updated_at": _insert.excluded.updated_at, "body": _insert.excluded.body},
)
_KEPT = (
    select(_c.fingerprint).where(*_MINE).order_by(_c.updated_at.desc(), _c.fingerprint.desc()).limit(bindparam("keep"))
)
_TRIM = delete(stage_statistics).where(*_MINE, _c.fingerprint.not_in(_KEPT))


class SqlStageStatistics:
    def __init__(self, link: Link) -> None:
        self._link = link

    def find(self, principal: Principal, fingerprints: Sequence[str]) -> Mapping[str, Means]:
        rows = self._link.rows(_FIND, {**scope(principal), "fingerprints": self._link.array(fingerprints)})
        return {fingerprint: Means(**orjson.loads(body)) for fingerprint, body in rows}

    def put(self, principal: Principal, means: Mapping[str, Means], at: datetime) -> None:
        mine = {**scope(principal), "updated_at": to_micros(at)}
        self._link.run_many(
            _PUT,
            [
                {**mine, "fingerprint": fingerprint, "body": orjson.dumps(one._asdict()).decode()}
                for fingerprint, one in means.items()
            ],
        )

    def trim(self, principal: Principal, keep: int) -> int:
        return self._link.run(_TRIM, {**scope(principal), "keep": keep})
