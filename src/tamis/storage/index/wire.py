"""The framed calls between the server and its index process: a length, then MessagePack.

A request is `[id, operation, shard, argument]`, an answer `[id, error, result]` where `error` is None or
`[class name, message]`. Vectors travel as the raw bytes of their arrays. Imports little: the child starts with it.
"""

import struct
from collections.abc import Iterator
from typing import Any

import msgspec

_LENGTH = struct.Struct("<I")
FRAME_LIMIT_BYTES = 1 << 30

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def pack(message: Any) -> bytes:
    """One frame. Raises: what msgspec raises where the message holds no JSON."""
    buffer = bytearray(_LENGTH.size)
    _encoder.encode_into(message, buffer, _LENGTH.size)
    _LENGTH.pack_into(buffer, 0, len(buffer) - _LENGTH.size)
    return bytes(buffer)


def unpack(body: bytes | bytearray | memoryview) -> Any:
    return _decoder.decode(body)


class FrameBuffer:
    """Cuts a stream of bytes into the frames that were put into it."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Bodies that are whole now, without their length."""
        if not self._pending and len(data) >= _LENGTH.size and _length(data, 0) == len(data) - _LENGTH.size:
            yield data[_LENGTH.size :]
            return
        self._pending += data
        yield from self._cut()

    def _cut(self) -> Iterator[bytes]:
        start, end = 0, len(self._pending)
        while end - start >= _LENGTH.size:
            stop = start + _LENGTH.size + _length(self._pending, start)
            if stop > end:
                break
            yield bytes(self._pending[start + _LENGTH.size : stop])
            start = stop
        if start:
            del self._pending[:start]


def _length(data: bytes | bytearray, offset: int) -> int:
    length: int = _LENGTH.unpack_from(data, offset)[0]
    if length > FRAME_LIMIT_BYTES:
        raise ValueError(f"a frame of {length} bytes is no frame of ours")
    return length


def read_frames(data: bytes) -> Iterator[bytes]:
    """The whole frames of a file, in order; a torn one at its end is left out."""
    yield from FrameBuffer().feed(data)
