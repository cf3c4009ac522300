"""What each version of a retriever runs."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.retriever import RetrieverVersion
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import retriever_versions

_CODEC = Codec(RetrieverVersion)
_c = retriever_versions.c
_own = (
    _c.organization_id == bindparam("organization_id"),
    _c.namespace_id == bindparam("namespace_id"),
    _c.retriever_id == bindparam("identifier"),
)
_PUT = insert(retriever_versions).on_conflict_do_nothing()
_LIST = select(_c.body).where(*_own).order_by(_c.version.desc())
_GET = select(_c.body).where(*_own, _c.version == bindparam("wanted"))
_DELETE = delete(retriever_versions).where(*_own)


class SqlRetrieverVersions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def put(self, principal: Principal, version: RetrieverVersion) -> None:
        """One that is there stays as it is."""
        values = {
            **scope(principal),
            "retriever_id": version.retriever_id,
            "version": version.version,
            "created_at": to_micros(version.created_at),
            "body": _CODEC.encode(version),
        }
        self._link.run(_PUT, values)

    def get(self, principal: Principal, retriever_id: str, version: int) -> RetrieverVersion | None:
        body = self._link.value(_GET, {**scope(principal), "identifier": retriever_id, "wanted": version})
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal, retriever_id: str) -> Sequence[RetrieverVersion]:
        """Newest first."""
        rows = self._link.rows(_LIST, {**scope(principal), "identifier": retriever_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def delete(self, principal: Principal, retriever_id: str) -> int:
        return self._link.run(_DELETE, {**scope(principal), "identifier": retriever_id})
