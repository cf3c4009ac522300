"""The type of a file comes from what is in it."""

import io
import zipfile
from pathlib import Path

import pytest

from tamis.decoding import sniffing
from tamis.decoding.sniffing import content_type

ISO = b"\x00\x00\x00\x18ftyp"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (ISO + b"isom", "video/mp4"),
        (ISO + b"M4A ", "audio/mp4"),
        (ISO + b"avif", "image/avif"),
        (b"\x1a\x45\xdf\xa3....webm", "video/webm"),
        (b"OggS\x00\x02vorbis", "audio/ogg"),
        (b"OggS\x00\x02\x80theora", "video/ogg"),
        (b"%PDF-1.4\n", "application/pdf"),
        (b"", "inode/x-empty"),
        (b"plain words, nothing else", "text/plain"),
    ],
)
def test_signatures(tmp_path: Path, head: bytes, expected: str) -> None:
    file = tmp_path / "misleading.exe"
    file.write_bytes(head)
    assert content_type(file) == expected


def test_what_has_no_signature_is_told_by_the_model_or_by_its_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = {"table": b"name,price\nmill,3\nwheel,4\n" * 20, "noise": bytes(range(256)) * 4, "zip": _zip("xl/a.xml")}
    for name, data in samples.items():
        (tmp_path / name).write_bytes(data)
    assert content_type(tmp_path / "table") == "text/csv"
    monkeypatch.setattr(sniffing, "_model", lambda: None)
    assert content_type(tmp_path / "table") == "text/plain"
    assert content_type(tmp_path / "noise") == "application/octet-stream"
    assert content_type(tmp_path / "zip").endswith("spreadsheetml.sheet")


def _zip(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return packed.getvalue()
