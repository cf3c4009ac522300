"""Office documents and files of text, made on the spot: pages, blocks, tables, places, limits and damage."""

import random
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tamis.decoding.office import decode_office
from tamis.decoding.texts import decode_text
from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_document import Box, OfficeKind, OfficeOptions, Paper, TextKind, TextOptions


def write_docx(path: Path) -> Path:
    import docx
    from docx.enum.text import WD_BREAK

    document = docx.Document()
    document.core_properties.title = "Bread"
    document.add_heading("Sourdough", 1)
    document.add_paragraph("Mix flour and water.")
    document.add_paragraph("Salt", style="List Bullet")
    table = document.add_table(2, 2)
    for place, text in enumerate(("Flour", "500 g", "Water", "350 g")):
        table.cell(place // 2, place % 2).text = text
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    document.add_paragraph("Bake it hot: 250 °C.")
    document.save(str(path))
    return path


def write_pptx(path: Path) -> Path:
    import pptx
    from pptx.util import Pt

    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Results"
    slide.shapes.add_textbox(Pt(72), Pt(144), Pt(200), Pt(36)).text_frame.text = "Sales grew by 12 %"
    table = slide.shapes.add_table(1, 2, Pt(72), Pt(300), Pt(200), Pt(40)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "North", "7"
    slide.notes_slide.notes_text_frame.text = "thank the team"
    deck.slides.add_slide(deck.slide_layouts[6])
    deck.save(str(path))
    return path


def write_xlsx(path: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Prices"
    sheet.append(["Part", "Price", "Since"])
    sheet.append(["bolt", 2.5, datetime(2024, 5, 1)])
    sheet.append([])
    sheet.append(["nut", 3.0])
    more = book.create_sheet("Long")
    for row in range(120):
        more.append([row, f"row {row}"])
    book.save(path)
    return path


WRITERS: dict[OfficeKind, Any] = {"docx": write_docx, "pptx": write_pptx, "xlsx": write_xlsx}


def decoded(path: Path, kind: OfficeKind, **limits: int) -> Paper:
    return decode_office(path, OfficeOptions(kind, **limits), path.parent)


def test_word_documents(tmp_path: Path) -> None:
    paper = decoded(write_docx(tmp_path / "a.docx"), "docx")
    assert paper.page_count == 2
    assert paper.metadata["title"] == "Bread"
    assert [(block.object_type, block.text) for block in paper.pages[0].blocks] == [
        ("header", "Sourdough"), ("paragraph", "Mix flour and water."), ("list", "Salt"),
        ("table", "Flour\t500 g\nWater\t350 g"),
    ]  # fmt: skip
    assert [block.text for block in paper.pages[1].blocks] == ["Bake it hot: 250 °C."]


def test_presentations(tmp_path: Path) -> None:
    paper = decoded(write_pptx(tmp_path / "a.pptx"), "pptx")
    title, text, table, notes = paper.pages[0].blocks
    assert (title.object_type, title.text) == ("header", "Results")
    assert text.text == "Sales grew by 12 %"
    assert text.box == Box(72, 540 - 144 - 36, 200, 36)
    assert table.rows == (("North", "7"),)
    assert notes.text == "thank the team"
    assert (paper.page_count, paper.pages[1].blocks, paper.pages[0].height) == (2, (), 540)


def test_workbooks(tmp_path: Path) -> None:
    paper = decoded(write_xlsx(tmp_path / "a.xlsx"), "xlsx")
    prices, long = paper.pages
    assert prices.name == "Prices"
    assert prices.blocks[0].rows == (("Part", "Price", "Since"), ("bolt", "2.5", "2024-05-01T00:00:00"), ("nut", "3"))
    assert [len(block.rows) for block in long.blocks] == [50, 50, 20]
    assert long.blocks[2].text.endswith("119\trow 119")


@pytest.mark.parametrize("kind", ["docx", "pptx", "xlsx"])
def test_what_is_too_much_is_refused_before_it_is_unpacked(tmp_path: Path, kind: OfficeKind) -> None:
    path = WRITERS[kind](tmp_path / "a")
    with pytest.raises(UnreadableError, match="more than 0 MiB"):
        decoded(path, kind, most_bytes=1000)
    with pytest.raises(UnreadableError, match="more than 5 characters"):
        decoded(path, kind, most_characters=5)


def test_a_bomb_is_told_by_its_density(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/a.bin", bytes(64 << 20))
    with pytest.raises(UnreadableError, match="taken for a bomb"):
        decoded(tmp_path / "bomb", "docx")


def test_other_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    for data, reason in (
        (b"", "empty"), (b"PK\x03\x04 and no more", "cannot be read as an Office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "protected by a password, or of an Office before 2007"),
    ):  # fmt: skip
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(UnreadableError, match=reason):
            decoded(tmp_path / "a", "docx")
    with pytest.raises(UnreadableError, match="the presentation is damaged"):
        decoded(write_docx(tmp_path / "a"), "pptx")


@pytest.mark.parametrize("kind", ["docx", "pptx", "xlsx"])
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path: Path, kind: OfficeKind) -> None:
    dice, whole = random.Random(7), WRITERS[kind](tmp_path / "whole").read_bytes()
    for _ in range(25):
        data = bytearray(whole[: dice.randrange(20, len(whole))] if dice.random() < 0.3 else whole)
        for _ in range(dice.randrange(1, 30)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        (tmp_path / "a").write_bytes(data)
        try:
            assert decoded(tmp_path / "a", kind).page_count >= 0
        except UnreadableError:
            continue


def text(tmp_path: Path, data: bytes, kind: TextKind = "plain", declared_type: str | None = None) -> Paper:
    (tmp_path / "a.txt").write_bytes(data)
    return decode_text(tmp_path / "a.txt", TextOptions(kind, declared_type), tmp_path)


def test_files_of_text(tmp_path: Path) -> None:
    pages = text(tmp_path, b"one\r\n\r\ntwo\nlines\x0c\n- three").pages
    assert [[(block.object_type, block.text) for block in page.blocks] for page in pages] == [
        [("paragraph", "one"), ("paragraph", "two\nlines")], [("list", "- three")]
    ]  # fmt: skip
    assert text(tmp_path, "groß".encode("latin-1"), declared_type="text/plain; charset=latin-1").pages[0].blocks[
        0
    ].text == ("groß")
    with pytest.raises(UnreadableError, match="not text in utf-8"):
        text(tmp_path, b"\xff\xfa\x00")
    with pytest.raises(UnreadableError, match="empty"):
        text(tmp_path, b" \n")


def test_markdown_and_tables(tmp_path: Path) -> None:
    blocks = text(tmp_path, b"# Bread\nMix it.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n", "markdown").pages[0].blocks
    assert [(block.object_type, block.text) for block in blocks] == [
        ("header", "Bread"), ("paragraph", "Mix it."), ("table", "a\tb\n1\t2")
    ]  # fmt: skip
    [table] = text(tmp_path, b'name;price\n"bolt; long";2\n', "csv").pages[0].blocks
    assert table.rows == (("name", "price"), ("bolt; long", "2"))


def test_web_pages_by_their_main_text(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    sentence = "Sourdough needs flour, water, salt and a long night of patience before it is baked. "
    html = f"<html lang=en><title>Bread</title><body><nav>menu</nav><article><h1>Bread</h1><p>{sentence * 5}</p>"
    paper = text(tmp_path, html.encode(), "html")
    assert paper.metadata == {"title": "Bread", "language": "en"}
    assert any("long night of patience" in block.text for block in paper.pages[0].blocks)
