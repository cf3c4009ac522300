"""Sounds and videos that tests share: made on the spot, or read by the plainest means."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tamis.model.vector import FloatArray

SPOKEN = {
    "animals/amphibians/frog": "frog",
    "animals/birds/blackbird": "blackbird",
    "animals/birds/gander": "gander",
    "animals/birds/penguin": "penguin",
    "animals/birds/seagull": "seagull",
    "animals/birds/turkey": "turkey",
    "animals/birds/vulture": "vulture",
    "animals/insects/grasshopper": "grasshopper",
}
"""Of the spoken descriptions in `shared/data`, some and what is said in them."""
_ARTICLE = re.compile(r"\b(a|an|the)\b")


def samples(path: Path) -> FloatArray:
    """Mono, 16 kHz, -1..1."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    parts: list[FloatArray] = []
    with av.open(str(path)) as container:
        for frame in [*container.decode(audio=0), None]:
            parts += [one.to_ndarray()[0] for one in resampler.resample(frame)]
    return np.concatenate(parts)


def plain(text: str) -> str:
    """Lower case, no punctuation, no articles: the recordings leave out those that the captions have."""
    letters = re.sub(r"[^a-z0-9' ]", " ", text.lower())
    return " ".join(_ARTICLE.sub(" ", letters).split())


def word_errors(said: Sequence[str], heard: Sequence[str]) -> float:
    """Word error rate over all of them together."""
    import jiwer

    return float(jiwer.wer([plain(one) for one in said], [plain(one) for one in heard]))


def tone(hertz: float, seconds: float, rate: int = 16_000) -> FloatArray:
    return (0.3 * np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * hertz / rate)).astype(np.float32)


def write_sound(path: Path, sound: FloatArray, codec: str, rate: int = 16_000, layout: str = "mono") -> None:
    """sound: mono at 16 kHz."""
    import av

    with av.open(str(path), "w") as container:
        _encode_sound(container, container.add_stream(codec, rate=rate, layout=layout), sound)


def write_video(
    path: Path,
    colours: Sequence[tuple[int, int, int]],
    codec: str,
    seconds: float = 1.0,
    fps: int = 10,
    sound: FloatArray | None = None,
    sound_codec: str = "aac",
) -> None:
    """Each colour for so long, in 160 x 96 pixels; over it a mark that moves, so that no two frames are the same."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.width, stream.height = 160, 96
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        voice = container.add_stream(sound_codec, rate=48_000, layout="mono") if sound is not None else None
        for number in range(round(len(colours) * seconds * fps)):
            image = np.full((96, 160, 3), colours[int(number / fps / seconds)], np.uint8)
            image[40:48, number % 150 : number % 150 + 8] = 255
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None and sound is not None:
            _encode_sound(container, voice, sound)


def write_slides(path: Path, slides: Sequence[str], seconds: float = 1.0, fps: int = 10) -> None:
    """Each text for so long, black on a colour of its own, in 640 x 360 pixels."""
    import av
    from PIL import Image, ImageDraw, ImageFont

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for place, text in enumerate(slides):
            image = Image.new("RGB", (640, 360), ((255, 240, 120), (150, 220, 255), (255, 170, 170))[place % 3])
            ImageDraw.Draw(image).text((40, 140), text, fill="black", font=ImageFont.load_default(40))
            for _ in range(round(seconds * fps)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")))
        container.mux(stream.encode(None))


def _encode_sound(container: Any, stream: Any, sound: FloatArray) -> None:
    import av

    frame = av.AudioFrame.from_ndarray(sound[None, :], format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
    wanted = stream.codec_context
    size = wanted.frame_size or None
    resampler = av.AudioResampler(wanted.format, wanted.layout, wanted.sample_rate, frame_size=size)
    for one in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(one))
    container.mux(stream.encode(None))
