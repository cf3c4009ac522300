"""Text in pictures, read by the real model."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tamis.engine.ports.inference import Pixels, ReadText
from tamis.errors import ModelMissingError
from tamis.inference.models import LocalModels
from tests.pdf_samples import write_pdf

TEXTS = [(40.0, 800.0, "Invoice number 4711"), (40.0, 780.0, "Total amount 12.50 EUR")]


@pytest.fixture(scope="module")
def models() -> LocalModels:
    return LocalModels(downloads=False, threads=1)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Pixels:
    return rendered(write_pdf(tmp_path_factory.mktemp("ocr") / "a.pdf", [TEXTS]))


def rendered(path: Path, dpi: int = 150) -> Pixels:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(path)
    found = pdf[0].render(scale=dpi / 72).to_numpy()[: dpi * 150 // 72, : dpi * 250 // 72, :3].copy()
    pdf.close()
    return np.asarray(found, np.uint8)


def words(found: Sequence[ReadText]) -> list[str]:
    return [one.text for one in sorted(found, key=lambda one: one.top)]


def test_lines_and_where_they_are(models: LocalModels, picture: Pixels) -> None:
    found = models.ocr().read(picture)
    assert words(found) == [text for _, _, text in TEXTS]
    first = min(found, key=lambda one: one.top)
    assert first.left == pytest.approx(40 * 150 / 72, abs=8)
    assert (first.top + first.bottom) / 2 == pytest.approx((842 - 803) * 150 / 72, abs=8)
    assert first.confidence > 0.9
    upside_down = models.ocr().read(picture[::-1, ::-1])
    assert sorted(words(upside_down)) == sorted(words(found))


def test_colours_do_not_count_and_nothing_is_read_where_nothing_is(models: LocalModels, picture: Pixels) -> None:
    coloured = picture.copy()
    coloured[picture[..., 0] < 128] = (200, 0, 0)
    assert words(models.ocr().read(coloured)) == [text for _, _, text in TEXTS]
    for empty in (
        np.full((300, 300, 3), 255, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((5, 900, 3), np.uint8),
    ):
        assert models.ocr().read(empty) == []


def test_several_threads_read_at_once(models: LocalModels, picture: Pixels) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: models.ocr().read(picture), range(2))
    assert first == second


def test_its_version_is_that_of_the_weights(models: LocalModels) -> None:
    info = models.ocr().info
    assert (info.name, info.license, len(info.version)) == ("pp-ocrv6-small", "Apache-2.0", 12)
    assert models.ocr() is models.ocr()


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(ModelMissingError, match=r"pip install 'tamis\[media\]'"):
        LocalModels(downloads=False).ocr()
