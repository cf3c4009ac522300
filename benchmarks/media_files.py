"""The files that benchmarks/media.py measures on: real ones of shared/data, and what is made of them on the spot."""

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import docx
import numpy as np
import openpyxl
import pptx
from pptx.util import Pt
from tests.media_samples import samples
from tests.pdf_samples import write_scan
from tests.shared_data import ROOT

from tamis.cli.stdlib_corpus import docstrings

DATA = ROOT / "data"
_VIDEOS = ("big-buck-bunny-480p-30s.mp4", "bottle-detection.mp4", "car-detection.mp4")
_PDFS = ("001", "004", "006", "026")
"""Those of shared/data that have pages of text."""
_PARAGRAPHS = 20


def texts(count: int) -> list[str]:
    return [row.text for row, _ in zip(docstrings(), range(count), strict=False)]


def pictures(count: int) -> list[Path]:
    every = sorted((DATA / "tuxpaint_stamps" / "images").rglob("*.png"))
    return every[:: len(every) // count][:count]


def sounds() -> list[Path]:
    """A second or two each, nobody speaks."""
    return sorted((DATA / "tuxpaint_stamps" / "audio" / "sound").rglob("*.ogg"))


def recordings() -> list[Path]:
    """A word or two each."""
    return sorted((DATA / "tuxpaint_stamps" / "audio" / "en").rglob("*.ogg"))


def videos() -> list[Path]:
    return [DATA / "videos" / name for name in _VIDEOS]


def pdfs() -> list[Path]:
    return [next((DATA / "pdfs").glob(f"pypdf_{name}-*.pdf")) for name in _PDFS]


def scan(folder: Path) -> Path:
    """A page of nine lines, as a picture."""
    return write_scan(folder / "scan.pdf", pdfs()[0])


def office(folder: Path, count: int) -> list[Path]:
    """So many documents of Word, PowerPoint and Excel each, twenty texts in each."""
    rows = texts(count * _PARAGRAPHS)
    parts = [rows[start : start + _PARAGRAPHS] for start in range(0, len(rows), _PARAGRAPHS)]
    return [
        write(folder / f"{place}{ending}", part)
        for place, part in enumerate(parts)
        for ending, write in ((".docx", _docx), (".pptx", _pptx), (".xlsx", _xlsx))
    ]


def _docx(path: Path, rows: Sequence[str]) -> Path:
    document = docx.Document()
    for row in rows:
        document.add_paragraph(row)
    document.save(str(path))
    return path


def _pptx(path: Path, rows: Sequence[str]) -> Path:
    deck = pptx.Presentation()
    for row in rows[::4]:
        slide = deck.slides.add_slide(deck.slide_layouts[6])
        slide.shapes.add_textbox(Pt(72), Pt(72), Pt(500), Pt(300)).text_frame.text = row
    deck.save(str(path))
    return path


def _xlsx(path: Path, rows: Sequence[str]) -> Path:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for number, row in enumerate(rows):
        sheet.append([number, row])
    book.save(path)
    return path


def talk(folder: Path) -> Path:
    """Half of the recordings, a second apart: a minute and more of speech."""
    pause = np.zeros(16_000, np.float32)
    sound = np.concatenate([part for path in recordings()[::2] for part in (samples(path), pause)])
    with wave.open(str(folder / "talk.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return folder / "talk.wav"


def large_video(path: Path, gigabytes: float) -> int:
    """Fifty frames of noise as JPEG, again and again, beside silence. Returns the number of frames."""
    chance = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuvj420p"
        stream.codec_context.qmin = stream.codec_context.qmax = 2
        sound: Any = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        packets: list[bytes] = []
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(chance.integers(0, 256, (720, 1280, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += [bytes(packet) for packet in stream.encode(frame)]
        packets += [bytes(packet) for packet in stream.encode(None)]
        count = int(gigabytes * 1e9 / (sum(map(len, packets)) / len(packets)))
        for number in range(count):
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
            if number % 25 == 0:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), "s16", "mono")
                silence.sample_rate, silence.pts = 16_000, number // 25 * 16_000
                container.mux(sound.encode(silence))
    return count
