"""Files of text: plain, Markdown, HTML, CSV."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tamis.decoding.paper_text import Measure, table_blocks
from tamis.decoding.unreadable import UnreadableError
from tamis.engine.text.charsets import decoded
from tamis.errors import TamisError
from tamis.model.media_document import Block, Paper, PaperPage, TextKind, TextOptions

_BYTES_A_CHARACTER = 4
_GAP = re.compile(r"\n[ \t]*\n\s*")
_HEADING = re.compile(r"#{1,6}\s+")
_BULLET = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s")
_CELLS = re.compile(r"\s*\|\s*")
_RULE = re.compile(r"[\s|:-]+")
_SAMPLE = 8_192


def decode_text(path: Path, options: TextOptions, work: Path) -> Paper:
    """Pages end at form feeds, blocks at empty lines. Raises: UnreadableError."""
    size_bytes = path.stat().st_size
    if size_bytes > _BYTES_A_CHARACTER * options.most_characters:
        raise UnreadableError(f"the file has more than {options.most_characters} characters of text")
    data = path.read_bytes()
    if options.kind == "html":
        return _html(data, Measure(options.most_characters))
    try:
        text = decoded(data, options.declared_type).replace("\r\n", "\n").replace("\r", "\n")
    except ValueError as problem:
        raise UnreadableError(str(problem)) from None
    if not text.strip():
        raise UnreadableError("the file is empty")
    measure = Measure(options.most_characters)
    pages = [
        PaperPage(number, tuple(_SPLIT[options.kind](page, measure))) for number, page in enumerate(text.split("\f"), 1)
    ]
    return Paper(len(pages), tuple(pages), {})


def _html(data: bytes, measure: Measure) -> Paper:
    from tamis.engine.text.pages import read_page

    try:
        page = read_page(data, "")
    except TamisError as problem:
        raise UnreadableError(
            problem.message, "dependency" if "pip install" in problem.message else "validation"
        ) from None
    found = {"title": page.title, "description": page.description, "language": page.language}
    metadata = {name: value for name, value in found.items() if value}
    return Paper(1, (PaperPage(1, tuple(_markdown(page.markdown, measure))),), metadata)


def _plain(text: str, measure: Measure) -> Iterator[Block]:
    for part in _GAP.split(text):
        if kept := measure.of(part):
            yield Block(kept, "list" if _BULLET.match(kept) else "paragraph")


def _markdown(text: str, measure: Measure) -> Iterator[Block]:
    for block in _plain(re.sub(r"^(#{1,6}\s.*)$", r"\n\1\n", text, flags=re.MULTILINE), measure):
        if heading := _HEADING.match(block.text):
            yield Block(block.text[heading.end() :], "header")
        elif block.text.startswith("|"):
            lines = [line.strip().strip("|") for line in block.text.split("\n") if not _RULE.fullmatch(line)]
            yield from table_blocks(_CELLS.split(line.strip()) for line in lines)
        else:
            yield block


def _csv(text: str, measure: Measure) -> Iterator[Block]:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:_SAMPLE], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        yield from table_blocks([measure.of(cell) for cell in row] for row in csv.reader(text.split("\n"), dialect))
    except csv.Error as error:
        raise UnreadableError(f"the table cannot be read: {error}") from None


_SPLIT: Mapping[TextKind, Callable[[str, Measure], Iterator[Block]]] = {
    "plain": _plain,
    "markdown": _markdown,
    "csv": _csv,
}
