"""Recorded calls as bytes: rankings, versions of documents and vectors packed, everything else as the JSON that it is.

Packing is for size alone: what does not have exactly the shape of a packed kind is written as it stands, and every
answer reads back equal to what was written.
"""

import sys
from array import array
from collections.abc import Sequence
from typing import Any

import msgspec

from tamis.engine.raised import Raised
from tamis.engine.tape import RecordedCall
from tamis.executions.columns import Columns

_RANKING, _VERSIONS, _FLOATS = 1, 2, 3
_SINGLE, _WIDE = 1, 2
_FEWEST = 4
_RANKED = frozenset(("ids", "scores"))
_VERSIONED = frozenset(("ids", "revisions"))


class CallRow(msgspec.Struct, array_like=True):
    """Fields are only ever added at the end. raised: type, message, details, problems."""

    port: str
    method: str
    asked: str
    answer: Any
    raised: tuple[str, str, dict[str, Any], list[dict[str, Any]]] | None = None


def pack_calls(calls: Sequence[RecordedCall], columns: Columns) -> list[CallRow]:
    """After every hit of the record has been written: their ids are then the first of the table."""
    return [
        CallRow(call.port, call.method, call.asked, _packed(call.answer, columns), _raised(call.raised))
        for call in calls
    ]


def unpack_calls(rows: Sequence[CallRow], ids: Sequence[str], revisions: Sequence[int]) -> tuple[RecordedCall, ...]:
    return tuple(
        RecordedCall(
            row.port,
            row.method,
            row.asked,
            _unpacked(row.answer, ids, revisions),
            Raised(*row.raised) if row.raised else None,
        )
        for row in rows
    )


def _raised(raised: Raised | None) -> tuple[str, str, dict[str, Any], list[dict[str, Any]]] | None:
    return None if raised is None else (raised.type, raised.message, raised.details, raised.problems)


def _packed(value: Any, columns: Columns) -> Any:
    if isinstance(value, dict):
        return _packed_object(value, columns)
    if not isinstance(value, list):
        return value
    if len(value) >= _FEWEST and set(map(type, value)) == {float}:
        return _ext(_FLOATS, b"", value)
    return [_packed(item, columns) for item in value]


def _packed_object(value: dict[str, Any], columns: Columns) -> Any:
    keys = value.keys()
    if keys == _RANKED and _are(value["ids"], str) and _are(value["scores"], float, len(value["ids"])):
        return _ext(_RANKING, columns.positions(value["ids"]), value["scores"])
    if keys == _VERSIONED and _are(value["ids"], str) and _are(value["revisions"], int, len(value["ids"])):
        rows, other = columns.versions(value["ids"], value["revisions"])
        return msgspec.msgpack.Ext(_VERSIONS, msgspec.msgpack.encode((rows, other)))
    return {key: _packed(item, columns) for key, item in value.items()}


def _are(values: Any, kind: type, count: int | None = None) -> bool:
    """A list of nothing else. An empty one is not worth packing."""
    if not isinstance(values, list) or not values or count not in (None, len(values)):
        return False
    return set(map(type, values)) == {kind}


def _ext(code: int, rows: Sequence[int], scores: list[float]) -> msgspec.msgpack.Ext:
    """A flag byte, the rows, the scores: in single precision where that loses nothing."""
    wide = len(rows) > 0 and max(rows) > 0xFFFF
    single = _singles(scores)
    flags = (_SINGLE if single is not None else 0) | (_WIDE if wide else 0)
    packed = single if single is not None else array("d", scores)
    return msgspec.msgpack.Ext(code, bytes([flags]) + _little(array("I" if wide else "H", rows)) + _little(packed))


def _little(values: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _singles(scores: list[float]) -> "array[float] | None":
    try:
        single = array("f", scores)
    except OverflowError:
        return None
    return single if single.tolist() == scores else None


def _unpacked(value: Any, ids: Sequence[str], revisions: Sequence[int]) -> Any:
    if isinstance(value, dict):
        return {key: _unpacked(item, ids, revisions) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpacked(item, ids, revisions) for item in value]
    if not isinstance(value, msgspec.msgpack.Ext):
        return value
    if value.code == _VERSIONS:
        rows, other = msgspec.msgpack.decode(value.data, type=tuple[list[int], dict[int, int]])
        found = [other.get(at, revisions[row]) for at, row in enumerate(rows)]
        return {"ids": [ids[row] for row in rows], "revisions": found}
    return _unpacked_numbers(value, ids)


def _unpacked_numbers(value: msgspec.msgpack.Ext, ids: Sequence[str]) -> Any:
    packed = bytes(value.data)
    flags, data = packed[0], memoryview(packed)[1:]
    scores, rows = array("f" if flags & _SINGLE else "d"), array("I" if flags & _WIDE else "H")
    if value.code == _FLOATS:
        return _numbers(scores, data)
    count = len(data) // (scores.itemsize + rows.itemsize)
    found = _numbers(rows, data[: count * rows.itemsize])
    return {"ids": [ids[row] for row in found], "scores": _numbers(scores, data[count * rows.itemsize :])}


def _numbers(into: "array[Any]", data: memoryview) -> list[Any]:
    into.frombytes(data)
    if sys.byteorder == "big":
        into.byteswap()
    return into.tolist()
