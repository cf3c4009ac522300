"""Who names which counted file, held against the objects and documents that do."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from sqlalchemy import Connection, and_, delete, insert, null, select, update

from tamis.errors import StorageError
from tamis.model.bucket import BucketObject
from tamis.model.document import Document
from tamis.model.fault import Fault
from tamis.model.files import FILES
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.schema import documents, file_uses, files, objects

_f, _u = files.c, file_uses.c
_Use: TypeAlias = tuple[str, str, str, str]
"""(organization, namespace, owner, key)"""
_File: TypeAlias = tuple[str, str, str]
_OWNERS = ((objects, Codec(BucketObject), "object_id"), (documents, Codec(Document), "document_id"))
_ROWS = 500


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    told, named = _told(connection), _named(connection)
    for organization_id, namespace_id, owner, key in sorted(named - told):
        yield Fault("file_use", f"{organization_id}/{namespace_id}: {owner}", f"its use of {key} is not counted", True)
    for organization_id, namespace_id, owner, key in sorted(told - named):
        problem = f"a use of {key} is counted, which it does not name"
        yield Fault("file_use", f"{organization_id}/{namespace_id}: {owner}", problem, is_derived=True)
    counted = Counter((one[0], one[1], one[3]) for one in told) + _held(connection)
    kept = _kept(connection)
    for file in sorted({*kept, *counted}):
        if file not in kept or kept[file] != counted[file]:
            problem = f"{kept.get(file, 'no')} uses are noted, there are {counted[file]}"
            yield Fault("file_count", "/".join(file), problem, is_derived=True)


def mend(connection: Connection) -> None:
    told, named = _told(connection), _named(connection)
    for organization_id, namespace_id, owner, key in told - named:
        same = (_u.organization_id == organization_id, _u.namespace_id == namespace_id)
        connection.execute(delete(file_uses).where(*same, _u.owner_id == owner, _u.key == key))
    for organization_id, namespace_id, owner, key in named - told:
        use = {"organization_id": organization_id, "namespace_id": namespace_id, "owner_id": owner, "key": key}
        connection.execute(insert(file_uses), {**use, "expires_at": None})
    counted, kept = Counter((one[0], one[1], one[3]) for one in named) + _held(connection), _kept(connection)
    for file in {*kept, *counted}:
        _set(connection, file, counted[file], is_there=file in kept)


def _set(connection: Connection, file: _File, uses: int, *, is_there: bool) -> None:
    """A file that nothing names is let go: whoever keeps house deletes it."""
    organization_id, namespace_id, key = file
    content = key.removeprefix(FILES).partition("/")[2].partition("-")[0] or None
    if not is_there:
        row = {"organization_id": organization_id, "namespace_id": namespace_id, "key": key}
        connection.execute(insert(files), {**row, "content": content, "uses": uses})
        return
    same = and_(_f.organization_id == organization_id, _f.namespace_id == namespace_id, _f.key == key)
    connection.execute(update(files).where(same).values(uses=uses))
    if not uses:
        connection.execute(update(files).where(same).values(content=null()))


def _told(connection: Connection) -> set[_Use]:
    rows = connection.execute(
        select(_u.organization_id, _u.namespace_id, _u.owner_id, _u.key).where(_u.expires_at.is_(None))
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def _held(connection: Connection) -> Counter[_File]:
    """For a while, by who is at work."""
    rows = connection.execute(select(_u.organization_id, _u.namespace_id, _u.key).where(_u.expires_at.is_not(None)))
    return Counter((row[0], row[1], row[2]) for row in rows)


def _kept(connection: Connection) -> dict[_File, int]:
    rows = connection.execute(select(_f.organization_id, _f.namespace_id, _f.key, _f.uses))
    return {(row[0], row[1], row[2]): int(row[3]) for row in rows}


def _named(connection: Connection) -> set[_Use]:
    named: set[_Use] = set()
    for table, codec, identity in _OWNERS:
        columns = (table.c.organization_id, table.c.namespace_id, table.c[identity], table.c.body)
        for organization_id, namespace_id, owner, body in connection.execution_options(yield_per=_ROWS).execute(
            select(*columns)
        ):
            try:
                keys = codec.decode(body).file_keys
            except StorageError:
                continue  # what it names is not known; the check of contents says so
            named.update((organization_id, namespace_id, owner, key) for key in keys)
    return named
