"""PDFs page by page: reading order, places, tables, forms, attachments, scripts, limits and damage."""

import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tamis.decoding.pdf import decode_pdf
from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_document import Attachment, FormField, Paper, PdfOptions
from tests.pdf_samples import write_filled, write_glyphs, write_pdf, write_scan
from tests.shared_data import json_lines, shared

_WORK = tempfile.TemporaryDirectory(prefix="tamis-pdf-")
PLAIN = PdfOptions(thumbnail_dpi=0, image_dpi=0)


def sample(name: str) -> Path:
    [found] = shared("data/pdfs").glob(f"pypdf_{name}-*.pdf")
    return found


def decoded(path: Path, options: PdfOptions = PLAIN) -> Paper:
    return decode_pdf(path, options, Path(_WORK.name))


def text(paper: Paper, page: int) -> str:
    return "\n\n".join(block.text for block in paper.pages[page - 1].blocks)


def test_every_real_file_begins_with_the_words_that_another_reader_finds() -> None:
    for entry in json_lines(shared("data/pdfs/pdfs.jsonl")):
        if entry["encrypted"]:
            continue
        paper = decoded(shared("data/pdfs") / entry["file"])
        assert paper.page_count == len(paper.pages) == entry["pages"]
        words = text(paper, 1).replace("\u02f4", "").split()
        assert words[:8] == entry["first_words"].split()[:8], entry["id"]


def test_two_columns_are_read_one_after_the_other() -> None:
    paper = decoded(sample("026"))
    first = text(paper, 1)
    places = [first.index(part) for part in (
        "Two-Column Document with Lorem Ipsum", "Your Name", "Abstract", "This is a sample document with two columns "
        "filled with Lorem Ipsum text.", "Vivamus viverra fermentum felis. Donec nonummy", "pellentesque ante.",
        "Fusce mauris.",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "Lorem ipsum dolor sit amet, consectetuer adipiscing elit. Ut purus elit" in first
    assert "luctus et ultrices posuere cubilia Curae; Pellentesque sit amet pede" in text(paper, 2)
    left = next(block for block in paper.pages[0].blocks if block.text.startswith("Nam dui"))
    right = next(block for block in paper.pages[0].blocks if block.text.startswith("Fusce"))
    assert left.box is not None
    assert right.box is not None
    assert (left.box.x, right.box.x) == pytest.approx((72, 310.6), abs=0.1)
    assert left.box.width == pytest.approx(228.4, abs=0.2)
    assert (left.box.y, left.box.y + left.box.height) == pytest.approx((203, 331.7), abs=1)


def test_a_table_without_rules_is_found_by_what_stands_in_line() -> None:
    table = next(block for block in decoded(sample("026")).pages[2].blocks if block.rows)
    assert table.object_type == "table"
    assert table.rows[0] == ("Country", "Population (millions)", "Area (km2)", "Capital", "Official Language")
    assert table.rows[2] == ("Belgium", "11.5", "30,689", "Brussels", "Dutch, French, German")
    assert "Finland\t5.5\t338,424\tHelsinki\tFinnish, Swedish" in table.text


def test_headings_are_told_from_text_by_their_size() -> None:
    paper = decoded(sample("006"))
    assert [block.text for page in paper.pages for block in page.blocks if block.object_type == "header"] == [
        "Contents", *(f"{number} {name}" for number, name in enumerate(("Foo", "Bar", "Baz") * 3, 1))
    ]  # fmt: skip
    assert "Hello, here is some text without a meaning. This text should show what a printed text" in text(paper, 2)


def test_a_table_with_rules_is_found_by_them(tmp_path: Path) -> None:
    cells = [
        (110, 705, "Part"), (210, 705, "Price"), (110, 680, "bolt with a"), (110, 668, "long name"), (210, 680, "2"),
    ]  # fmt: skip
    level = [(100.0, y, 200.0, 0.5) for y in (660.0, 695.0, 720.0)]
    upright = [(x, 660.0, 0.5, 60.0) for x in (100.0, 200.0, 300.0)]
    path = write_pdf(tmp_path / "a.pdf", [[(100, 760, "Above the table"), *cells]], [*level, *upright])
    above, table = decoded(path).pages[0].blocks
    assert above.text == "Above the table"
    assert table.rows == (("Part", "Price"), ("bolt with a long name", "2"))


def test_what_is_in_a_form_and_what_is_filled_in(tmp_path: Path) -> None:
    paper = decoded(sample("010"))
    assert paper.fields == (FormField("Name", "", "text", 1), FormField("Check", "no", "checkbox", 1))
    assert {"Name", "Check", "Submit"} <= set(text(paper, 1).split("\n\n"))
    paper = decoded(write_filled(tmp_path / "filled.pdf", sample("010"), "Ada Lovelace"))
    assert paper.fields[0].value == "Ada Lovelace"
    assert paper.pages[0].blocks[-1].text == "Name: Ada Lovelace"
    assert paper.pages[0].blocks[-1].object_type == "form"


def test_attachments_are_told_and_not_opened() -> None:
    paper = decoded(sample("025"))
    assert paper.attachments == (Attachment("image.png", 6669),)
    assert paper.metadata["producer"] == "pypdf"


def test_arabic_comes_in_the_order_in_which_it_is_read(tmp_path: Path) -> None:
    assert "حَبيبي" in text(decoded(sample("015")), 1)
    assert "habibi" in text(decoded(sample("015")), 1)
    shown_from_the_left = [("م", 100), ("لا", 110), ("س", 120)]
    for glyphs in (
        [("م", 90), ("ا", 100), ("ل", 110), ("س", 120)], [("س", 120), ("ل", 110), ("ا", 100), ("م", 90)],
        shown_from_the_left, shown_from_the_left[::-1], [("م", 100), ("\ufefb", 110), ("س", 120)],
    ):  # fmt: skip
        assert text(decoded(write_glyphs(tmp_path / "a.pdf", glyphs)), 1) == "سلام"
    assert text(decoded(write_glyphs(tmp_path / "a.pdf", [("\ufb03", 50), ("x", 60)])), 1) == "ffix"


def test_letters_beyond_the_sixteen_bits_of_pdfium_are_read(tmp_path: Path) -> None:
    glyphs = [("x", 50), ("\U0001d538", 60), ("\U0001f600", 70), ("y", 80)]
    assert text(decoded(write_glyphs(tmp_path / "a.pdf", glyphs)), 1) == "x\U0001d538\U0001f600y"


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_places_are_those_of_the_page_as_it_is_shown(tmp_path: Path, turn: int) -> None:
    cells = [(x, y, f"at {x:.0f} {y:.0f}") for y in (500.0, 480.0, 460.0) for x in (100.0, 200.0)]
    page = decoded(write_pdf(tmp_path / "a.pdf", [[(50, 550, "above it"), *cells]], turn=turn)).pages[0]
    above, table = page.blocks
    assert above.text == "above it"
    assert table.rows == tuple((f"at 100 {y}", f"at 200 {y}") for y in (500, 480, 460))
    assert table.box is not None
    assert (table.box.x, table.box.y) == pytest.approx((100, 460), abs=4)
    assert (page.width < page.height) == (turn in (0, 180))


def test_a_page_without_text_comes_as_a_picture_to_read_and_a_blank_one_does_not(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "scan.pdf", sample("001"), dpi=100)
    page = decoded(scan, PdfOptions(thumbnail_dpi=36)).pages[0]
    assert page.blocks == ()
    assert page.image is not None
    pixels = np.load(page.image)
    assert (pixels.dtype, pixels.shape[2], page.image_dpi) == (np.uint8, 3, 150)
    assert pixels.shape[0] == pytest.approx(page.height * 150 / 72, abs=2)
    assert page.thumbnail is not None
    assert Path(page.thumbnail).read_bytes()[:3] == b"\xff\xd8\xff"
    assert decoded(sample("008"), PdfOptions(thumbnail_dpi=0)).pages[0].image is not None
    assert decoded(sample("020"), PdfOptions(thumbnail_dpi=0)).pages[0].image is None
    assert decoded(write_pdf(tmp_path / "blank.pdf", [[]]), PdfOptions(thumbnail_dpi=0)).pages[0].image is None


def test_a_part_of_the_pages_is_read_at_a_time() -> None:
    paper = decoded(sample("004"), PdfOptions(first_page=3, pages=5, thumbnail_dpi=0, image_dpi=0))
    assert (paper.page_count, [page.number for page in paper.pages]) == (4, [3, 4])


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="protected by a password"):
        decoded(sample("005"))
    with pytest.raises(UnreadableError, match="at most 2 are read"):
        decoded(sample("004"), PdfOptions(most_pages=2))
    for data, reason in ((b"", "empty"), (b"%PDF-1.7\n" + b"x" * 500, "cannot be read as a PDF"), (b"GIF89a", "PDF")):
        (tmp_path / "a.pdf").write_bytes(data)
        with pytest.raises(UnreadableError, match=reason):
            decoded(tmp_path / "a.pdf")


def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    dice = random.Random(5)
    for name in ("001", "010", "015", "025"):
        whole = sample(name).read_bytes()
        for _ in range(12):
            data = bytearray(whole[: dice.randrange(20, len(whole))] if dice.random() < 0.3 else whole)
            for _ in range(dice.randrange(1, 40)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            (tmp_path / "a.pdf").write_bytes(data)
            try:
                paper = decoded(tmp_path / "a.pdf", PdfOptions(thumbnail_dpi=18, image_dpi=36))
            except UnreadableError:
                continue
            assert json.dumps([page.damage for page in paper.pages])
