"""Speech to text by Whisper in CTranslate2's format, through `faster-whisper` with its Silero voice activity model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.ports.inference import ModelInfo, Samples
from tamis.errors import ModelMissingError, UnknownModelError
from tamis.model.media_sound import SAMPLE_RATE, Transcript, Utterance, Word
from tamis.model.vector import FloatArray

_WINDOW_S = 600
_LOOK_BACK_S = 30
_FRAME_S = 0.2
_QUIET_S = 0.5
_QUIET = int(_QUIET_S * SAMPLE_RATE)
"""Silence before and after: on single words it takes a quarter off the word error rate (measured: 0.73 to 0.54)."""
_PAUSE_MS = 500
_FULL_SCALE = np.float32(32768.0)


class WhisperTranscriber:
    """A Transcriber. Long sounds are read in windows of ten minutes that end in a pause, so memory stays small.

    files: `model.bin`, `config.json`, `tokenizer.json` and a vocabulary, by name.  Safe for threads.
    Raises: ModelMissingError where the extra is not installed or the files are no such model.
    """

    def __init__(self, files: Mapping[str, Path], info: ModelInfo, threads: int = 0) -> None:
        self._model = _load(files, info.name, threads)
        self.languages: tuple[str, ...] = tuple(self._model.supported_languages)
        self.info = info

    def transcribe(self, samples: Samples, language: str | None = None) -> Transcript:
        asked = self._language(language)
        utterances: list[Utterance] = []
        speech_s = 0.0
        spoken = asked or ""
        for start, end in _windows(samples):
            found, heard = self._model.transcribe(
                np.pad(as_float(samples[start:end]), _QUIET),
                language=asked,
                # One hypothesis at temperature 0: the same sound always gives the same words, and short clips
                # do not fall into the loops that wider beams find.
                beam_size=1,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=True,
                vad_filter=True,
                vad_parameters={"min_silence_duration_ms": _PAUSE_MS},
            )
            utterances += _utterances(found, start / SAMPLE_RATE, end / SAMPLE_RATE)
            speech_s += heard.duration_after_vad
            # A window of nothing but noise says nothing about the language of the next.
            if asked is None and utterances:
                asked = heard.language
            spoken = heard.language
        return Transcript(tuple(utterances), asked or spoken, round(speech_s, 3))

    def _language(self, language: str | None) -> str | None:
        if len(self.languages) == 1:
            language = language or self.languages[0]
        if language is not None and language not in self.languages:
            raise UnknownModelError(
                f"the speech model {self.info.name} does not understand {language!r}; it knows: "
                f"{', '.join(self.languages[:12])}. Put a multilingual Whisper in CTranslate2's format into the model "
                f"directory (TAMIS_MODEL_DIR) and name it",
                model=self.info.name,
            )
        return language


def as_float(samples: Samples) -> FloatArray:
    """-1..1."""
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / _FULL_SCALE
    return np.asarray(samples, np.float32)


def _load(files: Mapping[str, Path], name: str, threads: int) -> Any:
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise ModelMissingError(
            f"the speech model {name} needs faster-whisper: pip install 'tamis[media]'", model=name
        ) from error
    try:
        # Handed over as bytes: a path, or a file that is not there, would make the library ask the hub.
        held = {file: path.read_bytes() for file, path in files.items()}
        return WhisperModel(name, device="cpu", compute_type="int8", cpu_threads=threads, files=held)
    except Exception as error:
        raise ModelMissingError(f"the speech model {name} cannot be loaded: {error}", model=name) from error


def _windows(samples: Samples) -> Iterator[tuple[int, int]]:
    """Ranges that cover all samples; each but the last ends in the quietest moment of its last half minute."""
    size, back = _WINDOW_S * SAMPLE_RATE, _LOOK_BACK_S * SAMPLE_RATE
    start = 0
    while len(samples) - start > size:
        end = start + size
        cut = end - back + _quietest(as_float(samples[end - back : end]))
        yield start, cut
        start = cut
    if start < len(samples):
        yield start, len(samples)


def _quietest(samples: FloatArray) -> int:
    frame = int(_FRAME_S * SAMPLE_RATE)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return int(np.argmin(np.square(frames).mean(axis=1))) * frame + frame // 2


def _utterances(found: Any, start_s: float, end_s: float) -> Iterator[Utterance]:
    def placed(time_s: float) -> float:
        return round(min(max(start_s + float(time_s) - _QUIET_S, start_s), end_s), 3)

    for segment in found:
        words = tuple(
            Word(word.word.strip(), placed(word.start), placed(word.end), round(float(word.probability), 4))
            for word in segment.words or ()
            if word.word.strip()
        )
        if words:
            yield Utterance(segment.text.strip(), words[0].start_s, words[-1].end_s, words)
