"""Server-sent events, as the WHATWG HTML standard (9.2) writes them."""

import codecs
import re
from collections.abc import Iterable, Iterator

# Only these end a line; what Python takes for line ends besides may stand inside of one.
_LINE_END = re.compile("\r\n|\n|\r")


def event_data(chunks: Iterable[bytes]) -> Iterator[str]:
    """The data of each event; comments and other fields are passed over, an event cut off by the end is none."""
    reader = EventData()
    for chunk in chunks:
        yield from reader.read(chunk)
    yield from reader.end()


class EventData:
    """As `event_data`, told the bytes piece by piece, however they were cut."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._kept: list[str] = []
        self._data: list[str] = []

    def read(self, chunk: bytes) -> Iterator[str]:
        """The events that are whole with these bytes."""
        for line in self._lines(self._decode(chunk)):
            yield from self._line(line)

    def end(self) -> Iterator[str]:
        """What the end makes whole."""
        if self._kept and self._kept[-1] == "\r":
            yield from self._line("".join(self._kept[:-1]))

    def _line(self, line: str) -> Iterator[str]:
        if not line:
            if self._data:
                yield "\n".join(self._data)
            self._data = []
        elif line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))

    def _lines(self, text: str) -> Iterator[str]:
        """Whole lines without their ends; what the last end leaves is kept."""
        if not text:
            return
        if self._kept and self._kept[-1] == "\r":
            # Only now is it known whether that was a line end or half of one.
            text = self._kept.pop() + text
        is_open = text.endswith("\r")
        *whole, rest = _LINE_END.split(text[:-1] if is_open else text)
        if whole:
            yield "".join([*self._kept, whole[0]])
            yield from whole[1:]
            self._kept = []
        self._kept += [rest, "\r"] if is_open else [rest]
