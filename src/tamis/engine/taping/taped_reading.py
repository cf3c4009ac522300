"""What reads text in pictures, behind a tape."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tamis.engine.ports.inference import ModelInfo, Models, Pixels, ReadText, TextReader
from tamis.engine.tape import Form, Tape

_PORT = "models"


@dataclass(frozen=True, slots=True)
class _Noted:
    """Behind a playback nothing more is asked of a model."""

    info: ModelInfo


class TapedReader:
    def __init__(self, tape: Tape, reader: Any) -> None:
        self._tape = tape
        self._reader = reader
        self.info: ModelInfo = reader.info

    def read(self, pixels: Pixels) -> Sequence[ReadText]:
        return self._tape.ask_now(_READ, (self.info.name, pixels), lambda: self._reader.read(pixels))


def taped_ocr(tape: Tape, models: Models) -> TextReader:
    return TapedReader(tape, tape.ask_now(_OCR, (), models.ocr))


_OCR: Form[Any] = Form(_PORT, "ocr", lambda found: asdict(found.info), lambda note, _: _Noted(ModelInfo(**note)))
_READ: Form[Sequence[ReadText]] = Form(
    _PORT, "read", lambda found: [asdict(one) for one in found], lambda note, _: [ReadText(**one) for one in note]
)
