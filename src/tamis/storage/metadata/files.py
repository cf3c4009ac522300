"""Files of the blob store, counted by who names them."""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Select

from tamis.errors import ConflictError
from tamis.model.files import FILES
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import documents, file_uses, files, objects

_f, _u = files.c, file_uses.c
_mine = and_(_f.organization_id == bindparam("organization_id"), _f.namespace_id == bindparam("namespace_id"))
_my_uses = and_(_u.organization_id == bindparam("organization_id"), _u.namespace_id == bindparam("namespace_id"))

_FIND = select(_f.content, _f.key).where(_mine, one_of(_f.content, "contents"))
_KEPT = select(_f.key).where(_mine, one_of(_f.key, "keys"), _f.content.is_not(None))
# Of two servers that take the same content the later begins anew, and finds it.
_ADD = insert(files).on_conflict_do_nothing()
_USE = insert(file_uses).on_conflict_do_nothing()
_COUNT_USES = update(files).where(
    _mine, _f.key == bindparam("of_key"), _f.content.is_not(None)
).values(uses=_f.uses + bindparam("more"))  # fmt: skip
_LET_GO = update(files).where(_mine, _f.key == bindparam("of_key"), _f.uses == 0).values(content=null())
_DROP_USES = delete(file_uses).where(_my_uses, one_of(_u.owner_id, "owners")).returning(_u.key)
_ANY = select(_u.key).where(_my_uses).limit(1)
_HELD = select(_u.organization_id, _u.namespace_id, _u.owner_id, _u.expires_at).where(_u.expires_at.is_not(None))
_UNNEEDED = (
    select(_f.organization_id, _f.namespace_id, _f.key)
    .where(_f.content.is_(None))
    .order_by(_f.organization_id, _f.namespace_id, _f.key)
    .limit(bindparam("limit"))
)
_FORGET = delete(files).where(_mine, one_of(_f.key, "keys"), _f.content.is_(None))

_d, _o = documents.c, objects.c
_IN_COLLECTION = select(_d.document_id).where(
    _d.organization_id == bindparam("organization_id"),
    _d.namespace_id == bindparam("namespace_id"),
    _d.collection_id == bindparam("inside"),
)
_IN_BUCKET = select(_o.object_id).where(
    _o.organization_id == bindparam("organization_id"),
    _o.namespace_id == bindparam("namespace_id"),
    _o.bucket_id == bindparam("inside"),
)


def _of_owners(owners: Select[Any]) -> tuple[Any, Any]:
    """(how often each file is named by these owners, their uses removed)."""
    bounds = and_(_my_uses, _u.owner_id.in_(owners))
    return select(_u.key, func.count()).where(bounds).group_by(_u.key), delete(file_uses).where(bounds)


_COUNT_IN_COLLECTION, _DROP_IN_COLLECTION = _of_owners(_IN_COLLECTION)
_COUNT_IN_BUCKET, _DROP_IN_BUCKET = _of_owners(_IN_BUCKET)


class SqlFiles:
    """Implements `Files`, and for objects and documents the counting that goes with storing them."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def hold(self, principal: Principal, holder: str, contents: Sequence[str], until: datetime) -> Mapping[str, str]:
        """By SHA-256, the key under which the store has each content or is to be given it, held until then."""
        mine = scope(principal)
        wanted = sorted(set(contents))
        rows = self._link.rows(_FIND, {**mine, "contents": self._link.array(wanted)})
        keys: dict[str, str] = {content: key for content, key in rows}
        fresh = {content: _fresh_key(content) for content in wanted if content not in keys}
        self._link.run_many(
            _ADD, [{**mine, "key": key, "content": content, "uses": 0} for content, key in fresh.items()]
        )
        found = {**keys, **fresh}
        self._use(principal, holder, found.values(), to_micros(until))
        return found

    def hold_keys(self, principal: Principal, holder: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold files that are known by their keys; those of them that are still kept."""
        rows = self._link.rows(_KEPT, {**scope(principal), "keys": self._link.array(sorted(set(keys)))})
        kept = frozenset(key for (key,) in rows)
        self._use(principal, holder, kept, to_micros(until))
        return kept

    def release(self, principal: Principal, holder: str) -> None:
        """What this holder holds, it needs no longer."""
        self.own(principal, {holder: ()})

    def expire(self, now: datetime, left_by: str | None = None) -> int:
        """Release, of every tenant, what was held until before now, and by holders whose names begin with `left_by`.

        Returns how many holders there were.
        """
        due = {
            (organization_id, namespace_id, holder)
            for organization_id, namespace_id, holder, expires_at in self._link.rows(_HELD, {})
            if expires_at < to_micros(now) or (left_by is not None and holder.startswith(left_by))
        }
        for organization_id, namespace_id, holder in sorted(due):
            self.release(Principal(organization_id, namespace_id), holder)
        return len(due)

    def let_go(self, limit: int) -> Sequence[tuple[Principal, str]]:
        """Of every tenant, keys of files that nobody needs."""
        rows = self._link.rows(_UNNEEDED, {"limit": limit})
        return [(Principal(organization_id, namespace_id), key) for organization_id, namespace_id, key in rows]

    def forget(self, principal: Principal, keys: Sequence[str]) -> None:
        """These have been deleted from the store."""
        self._link.run(_FORGET, {**scope(principal), "keys": self._link.array(keys)})

    def own(self, principal: Principal, owned: Mapping[str, Collection[str]]) -> None:
        """Each owner now names these files, and none that it named before.

        Raises: ConflictError where a file has been let go meanwhile.
        """
        before = self._link.rows(_DROP_USES, {**scope(principal), "owners": self._link.array(list(owned))})
        less = Counter(key for (key,) in before)
        more = Counter(key for keys in owned.values() for key in set(keys))
        if not more and not less:
            return
        mine = scope(principal)
        self._link.run_many(
            _USE,
            [
                {**mine, "owner_id": owner, "key": key, "expires_at": None}
                for owner in owned
                for key in set(owned[owner])
            ],
        )
        self._count(principal, {key: more[key] - less[key] for key in {*more, *less}}, needed=more.keys())

    def disown_collection(self, principal: Principal, collection_id: str) -> None:
        """Its documents are about to be deleted."""
        self._disown(principal, collection_id, _COUNT_IN_COLLECTION, _DROP_IN_COLLECTION)

    def disown_bucket(self, principal: Principal, bucket_id: str) -> None:
        """Its objects are about to be deleted."""
        self._disown(principal, bucket_id, _COUNT_IN_BUCKET, _DROP_IN_BUCKET)

    def _disown(self, principal: Principal, inside: str, count: Any, drop: Any) -> None:
        if self._link.row(_ANY, scope(principal)) is None:
            return
        bounds = {**scope(principal), "inside": inside}
        named = self._link.rows(count, bounds)
        self._link.run(drop, bounds)
        self._count(principal, {key: -times for key, times in named}, needed=())

    def _use(self, principal: Principal, holder: str, keys: Collection[str], expires_at: int) -> None:
        mine = scope(principal)
        for key in sorted(keys):
            added = self._link.run(_USE, {**mine, "owner_id": holder, "key": key, "expires_at": expires_at})
            if added:
                self._link.run(_COUNT_USES, {**mine, "of_key": key, "more": 1})

    def _count(self, principal: Principal, changes: Mapping[str, int], needed: Collection[str]) -> None:
        """Always in the same order, so that two transactions do not wait for each other."""
        mine = scope(principal)
        for key in sorted(changes):
            if not self._link.run(_COUNT_USES, {**mine, "of_key": key, "more": changes[key]}) and key in needed:
                raise ConflictError("a file that this names has been deleted meanwhile; send it once more", key=key)
        gone = [{**mine, "of_key": key} for key, more in changes.items() if more < 0]
        self._link.run_many(_LET_GO, gone)


def _fresh_key(content: str) -> str:
    return f"{FILES}{content[:2]}/{content}-{secrets.token_hex(4)}"
