"""A video's segments: its shots with what is seen and said in each."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from tamis.engine.contents.text_features import storable, text_vectors
from tamis.engine.contents.visual_features import read_text, visual_feature
from tamis.engine.media.film_parameters import FilmParameters
from tamis.engine.media.passages import aligned, noted
from tamis.engine.media.pauses import pauses
from tamis.engine.media.sounds import TIME_FIELDS, heard, timed
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import MadeFile, Segment
from tamis.engine.ports.inference import ModelInfo, Models, Pixels, Samples
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_sound import Transcript, Word
from tamis.model.media_video import Film, KeyFrame, Shot
from tamis.model.vector import Dense, Vector

_SHORTEST_PAUSE_MS = 500
_PICTURES_AT_ONCE = 16

FILM_FIELDS: Mapping[str, JSON] = {
    **TIME_FIELDS,
    "text": {"type": "text", "description": "What is said and read in the segment; absent where nothing is."},
    "transcription": {"type": "text", "description": "What is said."},
    "words": {"type": "array", "description": "Each word with start_ms, end_ms and the model's probability."},
    "ocr_text": {"type": "text", "description": "What is written in the key frame, with run_ocr."},
    "segment_index": {"type": "integer", "description": "Place of this segment among those of its source, from 0."},
    "segment_count": {"type": "integer", "description": "How many segments its source has."},
    "key_frame": {
        "type": "image",
        "description": "The file that shows it, which a further collection may take.",
    },
    "key_frame_ms": {"type": "integer", "description": "Where in the video the key frame is shown."},
    "duration_s": {"type": "float", "description": "Of the whole video."},
    "language": {"type": "string", "description": "Of the speech."},
    "video": {"type": "object", "description": "codec, container, width, height, fps of the video."},
    "damage": {"type": "string", "description": "What of the file could not be read, where something could not."},
}


@dataclass(frozen=True, slots=True)
class _Said:
    """transcript: None where nobody was asked.  pauses_ms: where the sound falls silent, if that matters."""

    transcript: Transcript | None = None
    pauses_ms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Text:
    """Of a segment. words: what is said in it, in this language.  read: what is written; None where nobody asked."""

    words: Sequence[Word]
    language: str | None
    read: str | None

    @property
    def said(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def fields(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        if self.said or self.read:
            found["text"] = "\n".join(filter(None, (self.said, self.read)))
        if self.said:
            found |= {"transcription": self.said, "words": noted(self.words)}
        if self.said and self.language:
            found["language"] = self.language
        if self.read is not None:
            found["ocr_text"] = self.read
        return found

    def searched(self, chosen: FilmParameters) -> str:
        """What the text features are made of."""
        said = self.said if chosen.run_transcription_embedding else ""
        return "\n".join(filter(None, (said, self.read)))


def film_segments(file: Path, chosen: FilmParameters, decoding: Decoding, models: Models) -> list[Segment]:
    """One for each shot. Cost: one pass over the video, one over its sound, a model pass a key frame and a transcript.

    Raises: DecodeError.
    """
    with decoding.folder() as work:
        said, film = _decoded(file, chosen, decoding, models, work)
        spans = [(shot.start_ms, shot.end_ms) for shot in film.shots]
        words = aligned(said.transcript, spans) if said.transcript is not None else [()] * len(spans)
        language = said.transcript.language if said.transcript is not None else None
        texts = [_Text(part, language, _read(shot.key, models)) for part, shot in zip(words, film.shots, strict=True)]
        worded = _worded([text.searched(chosen) for text in texts], chosen, models, language)
        seen = _seen([shot.key for shot in film.shots], chosen, models)
        return [
            Segment(
                {**_fields(film, place), **text.fields},
                {**vectors, **next(seen)},
                files=(_key_frame(shot.key),) if chosen.enable_thumbnails else (),
            )
            for place, (shot, text, vectors) in enumerate(zip(film.shots, texts, worded, strict=True))
        ]


def film_models(chosen: FilmParameters, models: Models) -> list[ModelInfo]:
    """Those that its segments are made with. Raises: ModelMissingError."""
    asked: list[ModelInfo] = []
    if chosen.run_transcription:
        asked.append(models.transcriber(chosen.transcription_model).info)
    if chosen.run_ocr:
        asked.append(models.ocr().info)
    if chosen.embeds_texts:
        asked.append(models.embedder(chosen.model).info)
    if chosen.run_multimodal_embedding:
        asked.append(models.visual(chosen.visual_model).info)
    return asked


def pixels(path: Path) -> Pixels:
    """A picture of our own making."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _decoded(file: Path, chosen: FilmParameters, decoding: Decoding, models: Models, work: Path) -> tuple[_Said, Film]:
    """The frames are decoded while what is said is written down, where they do not wait for the pauses in it."""
    if chosen.split_method == "silence":
        said = _said(file, chosen, decoding, models, work)
        return said, decoding.decode("video", file, chosen.options(said.pauses_ms), Film, work)
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(decoding.decode, "video", file, chosen.options(()), Film, work)
        said = _said(file, chosen, decoding, models, work)
        return said, coming.result()


def _said(file: Path, chosen: FilmParameters, decoding: Decoding, models: Models, work: Path) -> _Said:
    by_silence = chosen.split_method == "silence"
    if not chosen.run_transcription and not by_silence:
        return _Said()
    samples = _samples(file, chosen, decoding, work)
    if samples is None:
        return _Said()
    transcript = None
    if chosen.run_transcription:
        transcript = models.transcriber(chosen.transcription_model).transcribe(samples, chosen.transcription_language)
    found = pauses(samples, chosen.silence_db_threshold, _SHORTEST_PAUSE_MS) if by_silence else ()
    return _Said(transcript, tuple(found))


def _samples(file: Path, chosen: FilmParameters, decoding: Decoding, work: Path) -> Samples | None:
    """None where the video is mute, or its sound is broken: what is seen is there all the same."""
    try:
        return heard(decoding, file, work, chosen.longest_s)[1]
    except DecodeError as error:
        if error.error_type == "validation":
            return None
        raise


def _read(key: KeyFrame, models: Models) -> str | None:
    """What is written in the frame; None where nobody asked."""
    return None if key.reading is None else storable(read_text(models, pixels(Path(key.reading))))


def _worded(
    texts: Sequence[str], chosen: FilmParameters, models: Models, language: str | None
) -> list[dict[str, Vector]]:
    """Of each segment its text's vectors; none where there is no text."""
    rows = iter(text_vectors([text for text in texts if text], models, chosen.model, language))
    return [next(rows) if text else {} for text in texts]


def _fields(film: Film, place: int) -> dict[str, JSON]:
    shot: Shot = film.shots[place]
    fields: dict[str, JSON] = {
        **timed(shot.start_ms / 1000, shot.end_ms / 1000),
        "segment_index": place,
        "segment_count": len(film.shots),
        "key_frame_ms": shot.key.time_ms,
        "duration_s": film.duration_ms / 1000,
        "video": {
            "codec": film.codec,
            "container": film.container,
            "width": film.width,
            "height": film.height,
            "fps": film.fps,
        },
    }
    if film.damage is not None:
        fields["damage"] = film.damage
    return fields


def _key_frame(key: KeyFrame) -> MadeFile:
    path = Path(key.file)
    return MadeFile("key_frame", "thumbnail", "image/jpeg", path.read_bytes(), path.name)


def _seen(keys: Sequence[KeyFrame], chosen: FilmParameters, models: Models) -> Iterator[Mapping[str, Vector]]:
    if not chosen.run_multimodal_embedding:
        yield from ({} for _ in keys)
        return
    name = visual_feature(models, chosen.visual_model).name
    model = models.visual(chosen.visual_model)
    waiting = iter(keys)
    while some := list(islice(waiting, _PICTURES_AT_ONCE)):
        for row in model.embed_images([pixels(Path(key.file)) for key in some]):
            yield {name: Dense(row)}
