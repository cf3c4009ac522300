"""Models that listen, behind a tape."""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import numpy as np

from tamis.engine.ports.inference import ModelInfo, Models, Samples
from tamis.engine.tape import Form, Tape
from tamis.model.media_sound import Transcript
from tamis.model.vector import FloatArray

_PORT = "models"


def taped_transcriber(tape: Tape, models: Models, name: str | None) -> "TapedTranscriber":
    return TapedTranscriber(tape, tape.ask_now(_TRANSCRIBER, (name,), lambda: models.transcriber(name)))


def taped_acoustic(tape: Tape, models: Models) -> "TapedAcoustic":
    return TapedAcoustic(tape, tape.ask_now(_ACOUSTIC, (), models.acoustic))


class TapedTranscriber:
    def __init__(self, tape: Tape, transcriber: Any) -> None:
        self._tape = tape
        self._transcriber = transcriber
        self.info: ModelInfo = transcriber.info
        self.languages: tuple[str, ...] = transcriber.languages

    def transcribe(self, samples: Samples, language: str | None = None) -> Transcript:
        asked = (self.info.name, samples, language)
        return self._tape.ask_now(_TRANSCRIBE, asked, lambda: self._transcriber.transcribe(samples, language))


class TapedAcoustic:
    def __init__(self, tape: Tape, describer: Any) -> None:
        self._tape = tape
        self._describer = describer
        self.info: ModelInfo = describer.info

    def describe(self, samples: Samples) -> FloatArray:
        asked = (self.info.name, samples)
        return self._tape.ask_now(_DESCRIBE, asked, lambda: self._describer.describe(samples))


@dataclass(frozen=True, slots=True)
class _Noted:
    """Behind a playback nothing more is asked of a model."""

    info: ModelInfo
    languages: tuple[str, ...] = ()


def _noted(note: Any, _archive: Any) -> _Noted:
    return _Noted(ModelInfo(**note["info"]), tuple(note["languages"]))


_TRANSCRIBER: Form[Any] = Form(
    _PORT, "transcriber", lambda found: {"info": asdict(found.info), "languages": list(found.languages)}, _noted
)
_ACOUSTIC: Form[Any] = Form(
    _PORT, "acoustic", lambda found: asdict(found.info), lambda note, _: _Noted(ModelInfo(**note))
)
_TRANSCRIBE: Form[Transcript] = Form(
    _PORT, "transcribe", msgspec.to_builtins, lambda note, _: msgspec.convert(note, Transcript)
)
_DESCRIBE: Form[FloatArray] = Form(
    _PORT, "describe_sound", lambda row: row.tolist(), lambda note, _: np.array(note, np.float32)
)
