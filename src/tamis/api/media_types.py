"""As what a stored file is served: whoever sent it says what it is, and what a browser runs is never served as that."""

import re
from dataclasses import dataclass

UNKNOWN = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_PICTURES = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp", "tiff", "x-icon", "heic", "heif")
)
_TEXTS = frozenset({"text/plain", "text/csv", "text/markdown"})
_KEPT = frozenset(
    {
        "application/epub+zip",
        "application/gzip",
        "application/json",
        "application/msword",
        "application/pdf",
        "application/rtf",
        "application/x-tar",
        "application/zip",
    }
)
_OFFICE = "application/vnd."


@dataclass(frozen=True, slots=True)
class Presentation:
    """disposition: `inline` is shown by the browser, `attachment` is saved."""

    content_type: str
    disposition: str


def presented(declared: str) -> Presentation:
    """Pictures, sound, video and plain text are shown; documents are saved as what they are, PDF among them.

    Whatever else there is (HTML, SVG, XML, scripts, types that nobody knows) is saved as mere bytes.
    """
    kind = declared.partition(";")[0].strip().lower()
    if kind in _PICTURES or (kind.startswith(("audio/", "video/")) and _TYPE.fullmatch(kind) and "+" not in kind):
        return Presentation(kind, "inline")
    if kind in _TEXTS:
        return Presentation(f"{kind}; charset=utf-8", "inline")
    is_office = kind.startswith(_OFFICE) and _TYPE.fullmatch(kind) is not None and not kind.endswith("+xml")
    return Presentation(kind if kind in _KEPT or is_office else UNKNOWN, "attachment")
