"""What goes between the server and a decoding worker: four bytes of length, big-endian, then MessagePack."""

import struct
from typing import Any

import msgspec

HEAD_BYTES = 4
MOST_BYTES = 128 << 20
"""Of one answer."""


class Asked(msgspec.Struct, frozen=True):
    """task: `module:function`.  options: its dataclass as MessagePack."""

    task: str
    file: str
    options: msgspec.Raw
    work: str
    timeout_s: float


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Either an answer, as MessagePack of the task's dataclass, or what is wrong with the file."""

    answer: msgspec.Raw = msgspec.Raw(b"\xc0")
    error: str | None = None
    error_type: str = "validation"


def framed(message: Any) -> bytes:
    body = msgspec.msgpack.encode(message)
    return struct.pack(">I", len(body)) + body


def length(head: bytes | memoryview) -> int:
    size: int = struct.unpack(">I", head)[0]
    return size
