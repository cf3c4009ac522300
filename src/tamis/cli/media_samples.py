"""A small mixed set made on the spot: drawn charts, a PDF and a letter, spoken sentences, a rendered video."""

import shutil
import subprocess
import wave
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_RATE = 16_000
_VOICE_TIMEOUT_S = 60
_SIZE = (480, 320)
CHARTS = {
    "rainfall": ("bars", "#2a78b5", (30, 42, 55, 80, 74, 61, 40)),
    "harvest": ("bars", "#c98a1b", (80, 64, 51, 37, 22, 30, 45)),
    "visitors": ("line", "#b3263c", (12, 18, 34, 60, 88, 71, 20)),
    "energy": ("line", "#2f8f4e", (70, 66, 52, 41, 36, 48, 63)),
    "costs": ("slices", "#7b4fa3", (40, 25, 20, 15)),
}
SENTENCES = {
    "lantern": "The lantern above the harbour was lit by an old fisherman every evening.",
    "orchard": "We planted forty apple trees in the orchard behind the school.",
    "bridge": "The stone bridge was closed because the river rose over night.",
}
TUNES = {"lantern": (262, 330, 392), "orchard": (440, 220, 440), "bridge": (880, 988, 1047)}
PAGES = (
    "The observatory opens its doors on the first Friday of each month.",
    "Visitors bring warm clothes: the dome is not heated, so that the air above the mirror stays calm.",
    "A guided tour lasts ninety minutes and costs eight euros; children pay half.",
)
LETTER = (
    "Dear members of the chess club,",
    "the winter tournament is played in the town library this year, since the hall has a new floor laid.",
    "Games begin at ten o'clock. Please bring your own clocks.",
)
SCENES = (("red square", (196, 42, 42)), ("blue circle", (36, 74, 170)), ("green stripes", (44, 140, 70)))
_SCENE_S, _FPS = 4, 10


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of the set. extractor: whose collection it goes into."""

    name: str
    extractor: str
    file: Path
    media_type: str


def make(folder: Path, kinds: Collection[str] = ("image", "document", "audio", "video")) -> list[Sample]:
    """Those of the set that are of these kinds, in `folder`. Raises: ImportError without the extra `media`."""
    makers = {"image": charts, "document": documents, "audio": sounds, "video": videos}
    return [sample for kind in makers if kind in kinds for sample in makers[kind](folder)]


def charts(folder: Path) -> list[Sample]:
    return [Sample(name, "image", _chart(folder / f"{name}.png", name), "image/png") for name in CHARTS]


def documents(folder: Path) -> list[Sample]:
    letter_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return [
        Sample("observatory", "document", _pdf(folder / "observatory.pdf"), "application/pdf"),
        Sample("letter", "document", _letter(folder / "letter.docx"), letter_type),
    ]


def sounds(folder: Path) -> list[Sample]:
    return [Sample(name, "audio", _sound(folder / f"{name}.wav", name), "audio/wav") for name in SENTENCES]


def videos(folder: Path) -> list[Sample]:
    return [Sample("shapes", "video", _video(folder / "shapes.mp4"), "video/mp4")]


def has_voice() -> bool:
    """Whether this machine can speak."""
    return shutil.which("espeak-ng") is not None


def variant(file: Path, target: Path) -> Path:
    """A chart as somebody else has it: cut, smaller, and another tint."""
    from PIL import Image, ImageEnhance

    with Image.open(file) as chart:
        cut = chart.crop((20, 15, chart.width - 30, chart.height - 20)).resize((300, 200))
        ImageEnhance.Color(cut).enhance(0.7).save(target, "JPEG")
    return target


def still(scene: int, target: Path) -> Path:
    """A picture of one of the video's scenes, without its movement."""
    from PIL import Image

    Image.fromarray(_frame(scene, 0.5)).save(target, "PNG")
    return target


def _chart(path: Path, name: str) -> Path:
    from PIL import Image, ImageDraw

    kind, colour, values = CHARTS[name]
    picture = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.text((20, 10), name.capitalize(), fill="black")
    draw.line((40, 40, 40, 290, 460, 290), fill="black", width=2)
    step = 400 // len(values)
    tops = [(50 + step * n, 290 - int(value * 2.4)) for n, value in enumerate(values)]
    if kind == "bars":
        for x, y in tops:
            draw.rectangle((x, y, x + step - 12, 289), fill=colour)
    elif kind == "line":
        draw.line([(x + step // 2, y) for x, y in tops], fill=colour, width=5)
    else:
        ends = np.cumsum((0, *values)) * 3.6
        for n in range(len(values)):
            shade = tuple(int(part * (1 - 0.18 * n)) for part in bytes.fromhex(colour[1:]))
            draw.pieslice((130, 50, 350, 270), ends[n], ends[n + 1], fill=shade, outline="white")
    picture.save(path)
    return path


def _pdf(path: Path) -> Path:
    import pypdfium2
    import pypdfium2.raw as pdfium

    pdf = pypdfium2.PdfDocument.new()
    for text in PAGES:
        page = pdf.new_page(595, 842)
        for n, line in enumerate(_lines(text, 70)):
            drawn = pdfium.FPDFPageObj_NewTextObj(pdf, b"Helvetica", 12)
            wide = np.frombuffer(f"{line}\0".encode("utf-16-le"), np.uint16)
            pdfium.FPDFText_SetText(drawn, wide.ctypes.data_as(pdfium.FPDF_WIDESTRING))
            pdfium.FPDFPageObj_Transform(drawn, 1, 0, 0, 1, 72, 740 - 18 * n)
            pdfium.FPDFPage_InsertObject(page, drawn)
        page.gen_content()
        page.close()
    pdf.save(path)
    pdf.close()
    return path


def _lines(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _letter(path: Path) -> Path:
    import docx

    letter = docx.Document()
    for paragraph in LETTER:
        letter.add_paragraph(paragraph)
    letter.save(str(path))
    return path


def _sound(path: Path, name: str) -> Path:
    if has_voice():
        command = ["espeak-ng", "-v", "en", "-s", "140", "-w", str(path), SENTENCES[name]]
        subprocess.run(command, check=True, timeout=_VOICE_TIMEOUT_S, capture_output=True)  # noqa: S603 - our own words
        return path
    times = np.arange(_RATE) / _RATE
    tune = np.concatenate([np.sin(2 * np.pi * hertz * times) * np.exp(-2 * times) for hertz in TUNES[name]])
    return _written(path, (tune * 12_000).astype("<i2"))


def excerpt(file: Path, target: Path) -> Path:
    """A sound without its first quarter second."""
    with wave.open(str(file)) as read:
        rate, samples = read.getframerate(), np.frombuffer(read.readframes(read.getnframes()), "<i2")
    return _written(target, samples[rate // 4 :], rate)


def _written(path: Path, samples: Any, rate: int = _RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def _video(path: Path) -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=_FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.bit_rate = 1_000_000
        for scene in range(len(SCENES)):
            for n in range(_SCENE_S * _FPS):
                frame = av.VideoFrame.from_ndarray(_frame(scene, n / (_SCENE_S * _FPS)), format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _frame(scene: int, moved: float) -> Any:
    """uint8 [240, 320, 3]. moved: 0..1, how far its shape has come."""
    name, colour = SCENES[scene]
    down, across = np.mgrid[0:240, 0:320]
    x = 60 + moved * 200
    shapes = {
        "red square": (abs(across - x) < 45) & (abs(down - 120) < 45),
        "blue circle": (across - x) ** 2 + (down - 120) ** 2 < 55**2,
        "green stripes": (across + int(moved * 60)) % 60 < 25,
    }
    frame = np.full((240, 320, 3), 235 - 60 * scene, np.uint8)
    frame[shapes[name]] = colour
    return frame
