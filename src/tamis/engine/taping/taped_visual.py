"""Models that look at pictures, behind a tape."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tamis.engine.ports.inference import JointEmbedder, ModelInfo, Models, Pixels, VisualEmbedder
from tamis.engine.tape import Form, Tape
from tamis.model.vector import FloatArray

_PORT = "models"


def taped_visual(tape: Tape, models: Models, name: str | None) -> VisualEmbedder:
    """As the model is: one that reads texts too does so behind the tape."""
    found = tape.ask_now(_VISUAL, (name,), lambda: models.visual(name))
    reads_text = found.reads_text if isinstance(found, _Noted) else isinstance(found, JointEmbedder)
    return TapedJoint(tape, found) if reads_text else TapedVisual(tape, found)


class TapedVisual:
    def __init__(self, tape: Tape, embedder: Any) -> None:
        self._tape = tape
        self._embedder = embedder
        self.info: ModelInfo = embedder.info

    def embed_images(self, images: Sequence[Pixels]) -> FloatArray:
        asked = (self.info.name, tuple(images))
        return self._tape.ask_now(_EMBED_IMAGES, asked, lambda: self._embedder.embed_images(images))


class TapedJoint(TapedVisual):
    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        asked = (self.info.name, tuple(texts))
        return self._tape.ask_now(_EMBED_TEXTS, asked, lambda: self._embedder.embed_texts(texts))


@dataclass(frozen=True, slots=True)
class _Noted:
    """Behind a playback nothing more is asked of a model."""

    info: ModelInfo
    reads_text: bool


def _note(found: VisualEmbedder) -> dict[str, Any]:
    return {"info": asdict(found.info), "reads_text": isinstance(found, JointEmbedder)}


def _rows(note: Any, _archive: Any) -> FloatArray:
    return np.array(note, dtype=np.float32)


_VISUAL: Form[Any] = Form(_PORT, "visual", _note, lambda note, _: _Noted(ModelInfo(**note["info"]), note["reads_text"]))
_EMBED_IMAGES: Form[FloatArray] = Form(_PORT, "embed_images", lambda rows: rows.tolist(), _rows)
_EMBED_TEXTS: Form[FloatArray] = Form(_PORT, "embed_texts", lambda rows: rows.tolist(), _rows)
