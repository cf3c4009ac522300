"""Pictures: upright, bounded, reduced; what is wrong with one is said; damaged bytes harm nobody."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tamis.decoding.pool import DecoderPool
from tamis.engine.contents.visual_features import decoded, pixels_of
from tamis.errors import DecodeError
from tamis.model.media_picture import Picture, PictureOptions
from tests.drawing import drawn, encoded

SAMPLES = {form: encoded(drawn(60, 40), form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")}


def decode(decoding: DecoderPool, folder: Path, data: bytes, options: PictureOptions | None = None) -> Picture:
    file = folder / "picture"
    file.write_bytes(data)
    return decoded(decoding, file, options)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM"])
def test_formats(decoding: DecoderPool, tmp_path: Path, form: str) -> None:
    pixels = drawn(120, 80)
    found = decode(decoding, tmp_path, encoded(pixels, form))
    assert (found.width, found.height, found.frames, found.reduced) == (120, 80, 1, False)
    assert found.format == form.lower()
    assert np.abs(pixels_of(found).astype(int) - pixels).mean() < 12


def test_it_is_turned_as_its_camera_was_held(decoding: DecoderPool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode(decoding, tmp_path, encoded(drawn(120, 80), "JPEG", exif=exif))
    assert (found.width, found.height, found.shown_width, found.shown_height) == (80, 120, 80, 120)


def test_it_is_made_smaller_and_gets_a_thumbnail(decoding: DecoderPool, tmp_path: Path) -> None:
    found = decode(
        decoding, tmp_path, encoded(drawn(800, 600)), PictureOptions(side=100, thumbnail_width=200, quality=70)
    )
    assert (found.width, found.shown_width, found.shown_height) == (800, 100, 75)
    assert Image.open(io.BytesIO(found.thumbnail)).size == (200, 150)


def test_what_shows_through_is_laid_on_white(decoding: DecoderPool, tmp_path: Path) -> None:
    layer = np.zeros((20, 20, 4), np.uint8)
    layer[:10] = (255, 0, 0, 255)
    found = decode(decoding, tmp_path, encoded(layer))
    assert found.has_alpha
    assert {(color.code, color.share) for color in found.colors} == {("#ff0000", 0.5), ("#ffffff", 0.5)}


def test_sixteen_bits_a_pixel(decoding: DecoderPool, tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    shown = pixels_of(decode(decoding, tmp_path, encoded(ramp)))
    assert (shown.min(), shown.max()) == (0, 255)


def test_the_first_frame_stands_for_what_moves(decoding: DecoderPool, tmp_path: Path) -> None:
    frames = [Image.fromarray(drawn(40, 40, seed)) for seed in range(3)]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    assert decode(decoding, tmp_path, written.getvalue()).frames == 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"no picture at all", "no picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture that can be read"),
        (SAMPLES["PNG"][:80], "the picture is damaged"),
        (SAMPLES["JPEG"][:400], "the picture is damaged"),
        (SAMPLES["WEBP"][:60], "damaged|no picture"),
    ],
)
def test_what_is_wrong_is_said(decoding: DecoderPool, tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as raised:
        decode(decoding, tmp_path, data)
    assert raised.value.error_type == "validation"


def test_too_many_pixels_are_refused_before_they_are_decoded(decoding: DecoderPool, tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="12500 x 8000 pixels; at most 50000000 are decoded of PNG"):
        decode(decoding, tmp_path, _white_png(12_500, 8_000))


def test_a_large_photo_is_read_at_a_fraction_of_its_size(decoding: DecoderPool, tmp_path: Path) -> None:
    photo = encoded(drawn(1200, 900), "JPEG")
    found = decode(decoding, tmp_path, photo, PictureOptions(most_pixels=200_000, side=100))
    assert (found.width, found.height, found.reduced) == (1200, 900, True)
    with pytest.raises(DecodeError, match="1200 x 900 pixels; at most 1000000 are decoded"):
        decode(decoding, tmp_path, photo, PictureOptions(most_pixels=200_000, most_source_pixels=1_000_000))


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_answered(decoding: DecoderPool, tmp_path: Path, data: st.DataObject) -> None:
    """Each with a picture or a reason, and by a worker that is still there."""
    whole = bytearray(SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))])
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with contextlib.suppress(DecodeError):
        found = decode(decoding, tmp_path, bytes(whole[:cut]))
        assert len(found.pixels) == found.shown_width * found.shown_height * 3
    assert decode(decoding, tmp_path, SAMPLES["PNG"]).width == 60


def _white_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(width + 1) * 100, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
