"""Bodies of answers, never larger in memory than was asked for, however small they came over the wire."""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from pathlib import Path

from tamis.errors import OutsideError

ACCEPTED = "gzip, deflate"
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_body(chunks: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int) -> bytes:
    """Decompressed. Raises: OutsideError as soon as it is larger, and for what cannot be decompressed."""
    return b"".join([piece async for piece in _pieces(chunks, headers, max_bytes)])


async def write_body(chunks: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int, into: Path) -> None:
    """As `read_body`, into a file that is made anew."""
    with await asyncio.to_thread(into.open, "wb") as file:
        async for piece in _pieces(chunks, headers, max_bytes):
            await asyncio.to_thread(file.write, piece)


async def _pieces(chunks: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int) -> AsyncIterator[bytes]:
    body = _Body(headers.get("content-encoding", "").strip().lower(), max_bytes)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    async for chunk in chunks:
        yield body.plain(chunk)
    body.end()


class _Body:
    def __init__(self, encoding: str, max_bytes: int) -> None:
        if encoding not in ("", "identity") and encoding not in _WINDOW:
            raise OutsideError("the answer is compressed in a way that was not asked for")
        self._inflate = zlib.decompressobj(_WINDOW[encoding]) if encoding in _WINDOW else None
        self._most = max_bytes
        self._size = 0
        self._begun = False

    def plain(self, chunk: bytes) -> bytes:
        left = self._most - self._size
        if self._inflate is not None:
            self._begun = self._begun or bool(chunk)
            try:
                chunk = self._inflate.decompress(chunk, left + 1)
            except zlib.error:
                raise OutsideError("the answer is not compressed as it says") from None
        if len(chunk) > left:
            raise _too_large(self._most)
        self._size += len(chunk)
        return chunk

    def end(self) -> None:
        if self._inflate is not None and self._begun and not self._inflate.eof:
            raise OutsideError("the answer broke off")


def _too_large(max_bytes: int) -> OutsideError:
    return OutsideError(f"the answer is larger than {max_bytes} bytes")
