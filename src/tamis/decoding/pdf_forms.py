"""What is filled into the form of a PDF."""

import contextlib
import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tamis.model.media_document import FormField

_MOST_FIELDS = 2_000
_LONGEST = 4_000
_KINDS = {1: "button", 2: "checkbox", 3: "radio", 4: "choice", 5: "list", 6: "text", 7: "signature"}


def form_fields(pdf: Any, pages: Sequence[int]) -> tuple[FormField, ...]:
    """Of these pages, from 1. Buttons hold nothing and are left out."""
    import pypdfium2

    if pdf.get_formtype() == 0:
        return ()
    found: list[FormField] = []
    with contextlib.suppress(pypdfium2.PdfiumError):
        # Scripts of the form are not run: the library is built without an interpreter.
        pdf.init_forms()
        for number in pages:
            found += _of_page(pdf, number, _MOST_FIELDS - len(found))
    return tuple(found)


def _of_page(pdf: Any, number: int, most: int) -> list[FormField]:
    page = pdf[number - 1]
    try:
        return [one for _, one in zip(range(most), _widgets(pdf.formenv, page, number), strict=False)]
    finally:
        page.close()


def _widgets(form: Any, page: Any, number: int) -> Iterator[FormField]:
    import pypdfium2.raw as pdfium

    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = _KINDS.get(pdfium.FPDFAnnot_GetFormFieldType(form, annotation))
            if kind not in (None, "button"):
                name = _string(pdfium.FPDFAnnot_GetFormFieldName, form, annotation)
                yield FormField(name, _value(form, annotation, kind), kind, number)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _value(form: Any, annotation: Any, kind: str | None) -> str:
    import pypdfium2.raw as pdfium

    if kind in ("checkbox", "radio"):
        return "yes" if pdfium.FPDFAnnot_IsChecked(form, annotation) else "no"
    return _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)


def _string(ask: Callable[..., int], form: Any, annotation: Any) -> str:
    """UTF-16 that the library writes into a buffer of the length that it told before."""
    import pypdfium2.raw as pdfium

    size = min(ask(form, annotation, None, 0), 2 * _LONGEST)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    ask(form, annotation, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", errors="replace")
