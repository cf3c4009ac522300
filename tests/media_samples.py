"""Sounds that tests share: read to samples by the plainest means, and how far a transcript is from what was said."""

import re
from collections.abc import Sequence
from pathlib import Path

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
