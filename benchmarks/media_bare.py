"""Each medium by plain code: the same decoder and the same model, called one after the other for the same outputs.

No worker process, no limits, no guards against hostile files, no layout: what anybody would write in an afternoon.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import docx
import numpy as np
import openpyxl
import pptx
import pypdfium2
from PIL import Image, ImageOps
from tests.media_samples import samples

from tamis.engine.text.chunks import Chunking, chunk
from tamis.inference.models import LocalModels

_WINDOW = 254
_QUIET = np.zeros(8_000, np.float32)


class Bare:
    """threads: of the models, the same as ours."""

    def __init__(self, models: LocalModels, threads: int) -> None:
        self.models = models
        self.threads = threads
        self._whisper: Any = None

    def texts(self, texts: Sequence[str]) -> None:
        """The text model alone, 64 at a time."""
        for start in range(0, len(texts), 64):
            self.models.embedder().embed_documents(texts[start : start + 64])

    def worded(self, text: str) -> None:
        """Both vectors of a text of any length."""
        embedder = self.models.embedder()
        spans = chunk(text, Chunking("tokens", _WINDOW), embedder.spans)
        if spans:
            embedder.embed_documents([text[start:end] for start, end in spans]).mean(axis=0)
            self.models.lexical().encode_document(text)

    def picture(self, path: Path) -> None:
        """Decoded, laid on white, its thumbnail written, its colours counted, described."""
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
        whole = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
        small = whole.copy()
        small.thumbnail((640, 640))
        small.save(io.BytesIO(), "JPEG", quality=85)
        shown = whole.copy()
        shown.thumbnail((512, 512))
        sample = shown.copy()
        sample.thumbnail((64, 64))
        sample.quantize(5).getcolors()
        self.models.visual().embed_images([np.asarray(shown)])

    def pdf(self, path: Path) -> None:
        """Each page's text with the place of each character, its thumbnail, both vectors."""
        pdf = pypdfium2.PdfDocument(path)
        for page in pdf:
            text_page = page.get_textpage()
            text = text_page.get_text_range()
            for index in range(text_page.count_chars()):
                text_page.get_charbox(index, loose=True)
            page.render(scale=1).to_pil().convert("RGB").save(io.BytesIO(), "JPEG", quality=80)
            self.worded(text)
        pdf.close()

    def scan(self, path: Path) -> None:
        """Each page rendered and read, its thumbnail, both vectors."""
        pdf = pypdfium2.PdfDocument(path)
        for page in pdf:
            pixels = page.render(scale=150 / 72, rev_byteorder=True).to_numpy()
            page.render(scale=1).to_pil().convert("RGB").save(io.BytesIO(), "JPEG", quality=80)
            lines = self.models.ocr().read(np.ascontiguousarray(pixels[..., :3]))
            self.worded("\n".join(line.text for line in lines))
        pdf.close()

    def office(self, path: Path) -> None:
        """The texts of paragraphs, shapes and cells, both vectors of each page."""
        for text in _OFFICE[path.suffix](path):
            self.worded(text)

    def sound(self, path: Path) -> None:
        self.models.acoustic().describe(samples(path))

    def speech(self, path: Path) -> None:
        """Written down with the time of each word; the model, its voice activity and the decoder, nothing else."""
        if self._whisper is None:
            self._whisper = _whisper(self.models, self.threads)
        found, _ = self._whisper.transcribe(
            np.concatenate([_QUIET, samples(path), _QUIET]), language="en", beam_size=1, temperature=0.0,
            condition_on_previous_text=False, word_timestamps=True, vad_filter=True,
            vad_parameters={"min_silence_duration_ms": 500},
        )  # fmt: skip
        " ".join(one.text for one in found)

    def video(self, path: Path) -> None:
        """All frames decoded, and nothing done with them."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for _ in container.decode(stream):
                pass


def _words(path: Path) -> list[str]:
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return ["\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])]


def _slides(path: Path) -> list[str]:
    return [
        "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
        for slide in pptx.Presentation(str(path)).slides
    ]


def _sheets(path: Path) -> list[str]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    return [
        "\n".join(
            "\t".join(str(value) for value in row if value is not None) for row in sheet.iter_rows(values_only=True)
        )
        for sheet in book
    ]


_OFFICE = {".docx": _words, ".pptx": _slides, ".xlsx": _sheets}


def _whisper(models: LocalModels, threads: int) -> Any:
    from faster_whisper import WhisperModel

    models.transcriber()
    status = next(one for one in models.inspect() if one.model.name == "whisper-tiny.en")
    files = {file.artifact.name: file.path.read_bytes() for file in status.files if file.path is not None}
    return WhisperModel("tiny.en", device="cpu", compute_type="int8", cpu_threads=threads, files=files)
