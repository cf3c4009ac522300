"""PDFs made on the spot: text, rules and pictures at places, fonts whose glyphs stand for given letters."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

WIDTH, HEIGHT = 595.0, 842.0
_TURNED = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
Text = tuple[float, float, str]
"""x, y from the lower left corner, and what is written there."""


def write_pdf(
    path: Path, pages: Sequence[Sequence[Text]], grid: Sequence[tuple[float, ...]] = (), turn: int = 0
) -> Path:
    """grid: of each line left, bottom, width, height.  turn: by so many degrees; shown so, text is upright."""
    pdf = pypdfium2.PdfDocument.new()
    for texts in pages:
        page = pdf.new_page(WIDTH, HEIGHT)
        for x, y, text in texts:
            _write(pdf, page, x, y, text, turn)
        for line in grid:
            drawn = pdfium.FPDFPageObj_CreateNewRect(*line)
            pdfium.FPDFPath_SetDrawMode(drawn, pdfium.FPDF_FILLMODE_ALTERNATE, False)
            pdfium.FPDFPage_InsertObject(page, drawn)
        page.set_rotation(turn)
        page.gen_content()
        page.close()
    pdf.save(path)
    pdf.close()
    return path


def write_scan(path: Path, source: Path, dpi: int = 150, upper: float = 1.0) -> Path:
    """A PDF whose only page is a picture of the upper part of another's first page."""
    pdf = pypdfium2.PdfDocument(source)
    picture = pdf[0].render(scale=dpi / 72).to_pil()
    picture.crop((0, 0, picture.width, int(picture.height * upper))).convert("RGB").save(path, resolution=dpi)
    pdf.close()
    return path


def write_filled(path: Path, source: Path, value: str) -> Path:
    """The form of another PDF with a value in the first field of its first page."""
    pdf = pypdfium2.PdfDocument(source)
    page = pdf[0]
    fields = [pdfium.FPDFPage_GetAnnot(page, index) for index in range(pdfium.FPDFPage_GetAnnotCount(page))]
    field = next(one for one in fields if pdfium.FPDFAnnot_GetSubtype(one) == pdfium.FPDF_ANNOT_WIDGET)
    pdfium.FPDFAnnot_SetStringValue(field, b"V", _wide(value))
    for one in fields:
        pdfium.FPDFPage_CloseAnnot(one)
    page.close()
    pdf.save(path)
    pdf.close()
    return path


def write_glyphs(path: Path, glyphs: Sequence[tuple[str, float]]) -> Path:
    """Glyphs side by side, each 10 points wide at its x and standing for the letters that are given for it."""
    mapped = "\n".join(
        f"<{code:02x}> <{letters.encode('utf-16-be').hex()}>" for code, (letters, _) in enumerate(glyphs, 1)
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange {len(glyphs)} beginbfchar\n{mapped}\nendbfchar\n"
        "endcmap end end"
    )
    shown = "\n".join(f"1 0 0 1 {x} 700 Tm <{code:02x}> Tj" for code, (_, x) in enumerate(glyphs, 1))
    last = len(glyphs)
    parts = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {HEIGHT}]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        _stream(f"BT /F 10 Tf {shown} ET"),
        f"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 800]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 1/LastChar {last}"
        f"/Widths[{'1000 ' * last}]/CharProcs<</g 6 0 R>>/Resources<<>>/ToUnicode 7 0 R"
        f"/Encoding<</Type/Encoding/Differences[1 {'/g ' * last}]>>>>",
        _stream("1000 0 0 0 1000 800 d1 0 0 1000 800 re f"),
        _stream(cmap),
    ]
    path.write_bytes(_file(parts))
    return path


def _write(pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, x: float, y: float, text: str, turn: int) -> None:
    drawn = pdfium.FPDFPageObj_NewTextObj(pdf, b"Helvetica", 10)
    pdfium.FPDFText_SetText(drawn, _wide(text))
    place = {0: (x, y), 90: (WIDTH - y, x), 180: (WIDTH - x, HEIGHT - y), 270: (y, HEIGHT - x)}[turn]
    pdfium.FPDFPageObj_Transform(drawn, *_TURNED[turn], *place)
    pdfium.FPDFPage_InsertObject(page, drawn)


def _wide(text: str) -> "ctypes.Array[ctypes.c_ushort]":
    data = (text + "\0").encode("utf-16-le")
    return (ctypes.c_ushort * (len(data) // 2)).from_buffer_copy(data)


def _stream(text: str) -> str:
    return f"<</Length {len(text)}>>stream\n{text}\nendstream"


def _file(parts: Sequence[str]) -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{part}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(parts) + 1}/Root 1 0 R>>\n"
    return body + f"{end}startxref\n{len(body)}\n%%EOF".encode()
