"""Large inputs of executions, by SHA-1, stored once for each namespace."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import input_blobs

_c = input_blobs.c
_PUT = insert(input_blobs).on_conflict_do_nothing()
_GET = select(_c.data).where(
    _c.organization_id == bindparam("organization_id"),
    _c.namespace_id == bindparam("namespace_id"),
    _c.sha1 == bindparam("identifier"),
)


class SqlInputBlobs:
    def __init__(self, link: Link) -> None:
        self._link = link

    def put(self, principal: Principal, sha1: str, data: bytes) -> None:
        self._link.run(_PUT, {**scope(principal), "sha1": sha1, "data": data})

    def get(self, principal: Principal, sha1: str) -> bytes | None:
        data = self._link.value(_GET, {**scope(principal), "identifier": sha1})
        return None if data is None else bytes(data)
