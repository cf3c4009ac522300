"""Damaged documents by way of a worker: each gets an answer or a reason in time, and the next good one is read."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.decoding.pool import DecoderPool
from tamis.errors import DecodeError
from tamis.model.media_document import OfficeKind, OfficeOptions, Paper, PdfOptions, TextOptions
from tests.decoding.test_office import WRITERS
from tests.pdf_samples import write_pdf
from tests.shared_data import shared

SMALL = PdfOptions(thumbnail_dpi=18, image_dpi=36)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=12)


def damaged(whole: bytes, kept: float, damage: list[tuple[float, bytes]]) -> bytes:
    data = bytearray(whole[: max(1, int(len(whole) * kept))])
    for place, bits in damage:
        at = int(place * (len(data) - 1))
        data[at : at + len(bits)] = bits
    return bytes(data)


def survives(decoding: DecoderPool, task: str, data: bytes, options: Any, folder: Path) -> None:
    (folder / "damaged").write_bytes(data)
    with decoding.folder() as work:
        try:
            assert decoding.decode(task, folder / "damaged", options, Paper, work, 10.0).pages is not None
        except DecodeError as reason:
            assert reason.message  # noqa: PT017  # most are refused, and none in silence


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["001", "010", "015", "026"]), kept=st.floats(0.1, 1), damage=DAMAGE)
def test_pdfs(decoding: DecoderPool, tmp_path: Path, name: str, kept: float, damage: list[tuple[float, bytes]]) -> None:
    [path] = shared("data/pdfs").glob(f"pypdf_{name}-*.pdf")
    survives(decoding, "pdf", damaged(path.read_bytes(), kept, damage), SMALL, tmp_path)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["docx", "pptx", "xlsx"]), kept=st.floats(0.3, 1), damage=DAMAGE)
def test_office_documents(
    decoding: DecoderPool, tmp_path: Path, kind: OfficeKind, kept: float, damage: list[tuple[float, bytes]]
) -> None:
    path = WRITERS[kind](tmp_path / "whole")
    survives(decoding, "office", damaged(path.read_bytes(), kept, damage), OfficeOptions(kind), tmp_path)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["plain", "markdown", "html", "csv"]), data=st.binary(max_size=300))
def test_texts(decoding: DecoderPool, tmp_path: Path, kind: Any, data: bytes) -> None:
    survives(decoding, "text", data, TextOptions(kind), tmp_path)


@pytest.mark.parametrize("size", [b"90000000 90000000", b"90000000 2", b"1 90000000", b"0 0", b"nan -5"])
def test_a_page_of_any_size_is_bounded(decoding: DecoderPool, tmp_path: Path, size: bytes) -> None:
    whole = write_pdf(tmp_path / "a.pdf", [[(100, 700, "hello")]]).read_bytes()
    (tmp_path / "huge.pdf").write_bytes(whole.replace(b"595 842", size))
    with decoding.folder() as work:
        [page] = decoding.decode("pdf", tmp_path / "huge.pdf", PdfOptions(), Paper, work, 10.0).pages
        assert page.damage or page.blocks[0].text == "hello"
