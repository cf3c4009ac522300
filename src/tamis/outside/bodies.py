"""Bodies of answers, never larger in memory than was asked for, however small they came over the wire."""

import zlib
from collections.abc import AsyncIterable, Mapping

from tamis.errors import OutsideError

ACCEPTED = "gzip, deflate"
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_body(chunks: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int) -> bytes:
    """Decompressed. Raises: OutsideError as soon as it is larger, and for what cannot be decompressed."""
    body = _Body(headers.get("content-encoding", "").strip().lower(), max_bytes)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    async for chunk in chunks:
        body.add(chunk)
    return body.whole()


class _Body:
    def __init__(self, encoding: str, max_bytes: int) -> None:
        if encoding not in ("", "identity") and encoding not in _WINDOW:
            raise OutsideError("the answer is compressed in a way that was not asked for")
        self._inflate = zlib.decompressobj(_WINDOW[encoding]) if encoding in _WINDOW else None
        self._most = max_bytes
        self._body = bytearray()
        self._begun = False

    def add(self, chunk: bytes) -> None:
        left = self._most - len(self._body)
        if self._inflate is not None:
            self._begun = self._begun or bool(chunk)
            try:
                chunk = self._inflate.decompress(chunk, left + 1)
            except zlib.error:
                raise OutsideError("the answer is not compressed as it says") from None
        if len(chunk) > left:
            raise _too_large(self._most)
        self._body += chunk

    def whole(self) -> bytes:
        if self._inflate is not None and self._begun and not self._inflate.eof:
            raise OutsideError("the answer broke off")
        return bytes(self._body)


def _too_large(max_bytes: int) -> OutsideError:
    return OutsideError(f"the answer is larger than {max_bytes} bytes")
