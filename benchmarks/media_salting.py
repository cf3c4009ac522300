"""Files that nobody has extracted before: copies of others that differ in bytes which no decoder makes anything of."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

_PNG_HEAD = 33
"""Signature and first chunk."""


def salted(source: Path | str, folder: Path, salt: str) -> Path | str:
    """A copy in `folder`, as costly to decode and with the same outcome; a text has the salt behind it."""
    if isinstance(source, str):
        return f"{source}\n\n{salt}"
    copy = folder / f"{salt}-{source.parent.name}-{source.name}".replace(" ", "-")
    _WAYS[source.suffix](source, copy, salt)
    return copy


def _png(source: Path, copy: Path, salt: str) -> None:
    data, body = source.read_bytes(), b"tEXtComment\0" + salt.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    copy.write_bytes(data[:_PNG_HEAD] + chunk + data[_PNG_HEAD:])


def _pdf(source: Path, copy: Path, salt: str) -> None:
    copy.write_bytes(source.read_bytes() + f"\n% {salt}\n".encode())


def _office(source: Path, copy: Path, salt: str) -> None:
    copy.write_bytes(source.read_bytes())
    with zipfile.ZipFile(copy, "a") as archive:
        archive.comment = salt.encode()


def _mp4(source: Path, copy: Path, salt: str) -> None:
    body = salt.encode()
    copy.write_bytes(source.read_bytes() + struct.pack(">I", len(body) + 8) + b"free" + body)


def _wav(source: Path, copy: Path, salt: str) -> None:
    data, body = source.read_bytes(), salt.encode().ljust(len(salt) + len(salt) % 2)
    chunk = b"JUNK" + struct.pack("<I", len(body)) + body
    copy.write_bytes(data[:4] + struct.pack("<I", len(data) - 8 + len(chunk)) + data[8:] + chunk)


def _ogg(source: Path, copy: Path, salt: str) -> None:
    """Behind the last page, where readers look for another and find none."""
    copy.write_bytes(source.read_bytes() + salt.encode())


_WAYS: Mapping[str, Callable[[Path, Path, str], None]] = {
    ".png": _png, ".pdf": _pdf, ".docx": _office, ".pptx": _office, ".xlsx": _office, ".mp4": _mp4, ".wav": _wav,
    ".ogg": _ogg,
}  # fmt: skip
