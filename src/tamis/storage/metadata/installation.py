"""What the servers of one installation know together: its secret, and who has signed out."""

from datetime import datetime

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import INTEGER, ended_sessions, installation

_SIGNING = "signing"
_i, _e = installation.c, ended_sessions.c
_GET = select(_i.value).where(_i.name == bindparam("named"))
_OFFER = insert(installation).on_conflict_do_nothing()

_mine = _e.organization_id == bindparam("organization")
_HAS = select(_e.ends_at).where(_mine, _e.session_id == bindparam("session"))
_ADD = insert(ended_sessions).on_conflict_do_nothing()
_FORGET = delete(ended_sessions).where(and_(_mine, _e.ends_at < bindparam("before", type_=INTEGER)))


class SqlInstallation:
    def __init__(self, link: Link) -> None:
        self._link = link

    def secret(self, offered: bytes) -> bytes:
        found = self._link.value(_GET, {"named": _SIGNING})
        if found is None:
            self._link.run(_OFFER, {"name": _SIGNING, "value": offered})
            found = self._link.value(_GET, {"named": _SIGNING})
        return bytes(found)


class SqlEndedSessions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, principal: Principal, session_id: str, ends_at: datetime, now: datetime) -> None:
        mine = principal.organization_id
        self._link.run(_FORGET, {"organization": mine, "before": to_micros(now)})
        self._link.run(_ADD, {"organization_id": mine, "session_id": session_id, "ends_at": to_micros(ends_at)})

    def has(self, principal: Principal, session_id: str) -> bool:
        found = self._link.value(_HAS, {"organization": principal.organization_id, "session": session_id})
        return found is not None
