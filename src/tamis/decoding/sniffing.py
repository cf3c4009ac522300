"""What a file is, by its first bytes: signatures of media where there is one, else Magika's model of many more."""

import codecs
from functools import cache
from pathlib import Path
from typing import Any

UNKNOWN = "application/octet-stream"
_HEAD_BYTES = 4096
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"FLV\x01", "video/x-flv"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heif", b"heix": "image/heif", b"mif1": "image/heif",
    b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime",
}  # fmt: skip
_OFFICE = "application/vnd.openxmlformats-officedocument"
_ZIPPED = {
    b"word/": f"{_OFFICE}.wordprocessingml.document",
    b"ppt/": f"{_OFFICE}.presentationml.presentation",
    b"xl/": f"{_OFFICE}.spreadsheetml.sheet",
}


def content_type(file: Path) -> str:
    """Such as `image/png`; `application/octet-stream` for what nobody knows. Cost: microseconds, or 20 ms by model."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    return _by_signature(head) or _by_model(file) or _plainly(head)


def _by_signature(head: bytes) -> str | None:
    found = next((kind for mark, kind in _SIGNATURES if head.startswith(mark)), None)
    if found is None and head[:4] == b"RIFF":
        found = _RIFF.get(head[8:12])
    if found is None and head[4:8] == b"ftyp":
        found = _BRANDS.get(head[8:12], "video/mp4")
    if found is None and head[:4] == b"\x1a\x45\xdf\xa3":
        found = "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if found is None and head[:4] == b"OggS":
        found = "video/ogg" if b"theora" in head[:64] else "audio/ogg"
    if found is None and head[:4] == b"FORM" and head[8:11] == b"AIF":
        found = "audio/aiff"
    return found


def _by_model(file: Path) -> str | None:
    model = _model()
    if model is None:
        return None
    found = str(model.identify_path(file).output.mime_type)
    return None if found in (UNKNOWN, "application/zip") else found


@cache
def _model() -> Any:
    try:
        from magika import Magika
    except ImportError:
        return None
    return Magika()


def _plainly(head: bytes) -> str:
    if not head:
        return "inode/x-empty"
    if head.startswith(b"PK\x03\x04"):
        return next((kind for name, kind in _ZIPPED.items() if name in head), "application/zip")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text/plain"
    try:
        # A character may be cut off where the head ends.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return UNKNOWN
    return UNKNOWN if "\x00" in text else "text/plain"
