"""Office documents: text of pages, slides and sheets."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tamis.decoding.packed import check_archive
from tamis.decoding.paper_text import Measure
from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_document import OfficeKind, OfficeOptions, Paper


def decode_office(path: Path, options: OfficeOptions, work: Path) -> Paper:
    """All of it. Macros, links and embedded files are not touched; pictures are not read.

    Raises: UnreadableError where it is damaged, encrypted, or would come to too much.
    """
    check_archive(path, options.most_bytes)
    try:
        return _READERS[options.kind](path, Measure(options.most_characters))
    except (UnreadableError, ImportError, MemoryError):
        raise
    except Exception as error:
        # Over parts that are missing, or are not what they should be, the libraries raise whatever comes.
        raise UnreadableError(f"the {_NAMES[options.kind]} is damaged: {type(error).__name__}: {error}") from None


def _words(path: Path, measure: Measure) -> Paper:
    from tamis.decoding.office_words import read_words

    return read_words(path, measure)


def _slides(path: Path, measure: Measure) -> Paper:
    from tamis.decoding.office_slides import read_slides

    return read_slides(path, measure)


def _sheets(path: Path, measure: Measure) -> Paper:
    from tamis.decoding.office_sheets import read_sheets

    return read_sheets(path, measure)


_READERS: Mapping[OfficeKind, Callable[[Path, Measure], Paper]] = {"docx": _words, "pptx": _slides, "xlsx": _sheets}
_NAMES: Mapping[OfficeKind, str] = {"docx": "document", "pptx": "presentation", "xlsx": "workbook"}
