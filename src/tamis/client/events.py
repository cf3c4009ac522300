"""Server-sent events, as the WHATWG HTML standard (9.2) writes them."""

import codecs
import re
from collections.abc import Iterable, Iterator

# Only these end a line; what Python takes for line ends besides may stand inside of one.
_LINE_END = re.compile("\r\n|\n|\r")


def event_data(chunks: Iterable[bytes]) -> Iterator[str]:
    """The data of each event; comments and other fields are passed over, an event cut off by the end is none."""
    data: list[str] = []
    for line in _lines(chunks):
        if not line:
            if data:
                yield "\n".join(data)
            data = []
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines without their ends, however the bytes were cut; what the last end leaves is no line."""
    decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
    kept: list[str] = []
    for text in filter(None, map(decode, chunks)):
        if kept and kept[-1] == "\r":
            # Only now is it known whether that was a line end or half of one.
            text = kept.pop() + text
        is_open = text.endswith("\r")
        *whole, rest = _LINE_END.split(text[:-1] if is_open else text)
        if whole:
            yield "".join([*kept, whole[0]])
            yield from whole[1:]
            kept = []
        kept += [rest, "\r"] if is_open else [rest]
    if kept and kept[-1] == "\r":
        yield "".join(kept[:-1])
