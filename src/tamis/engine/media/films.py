"""A video's segments: its shots with what is seen and said in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from tamis.engine.media.film_parameters import FilmParameters
from tamis.engine.media.passages import aligned, noted
from tamis.engine.media.pauses import pauses
from tamis.engine.media.sounds import TIME_FIELDS, heard, timed
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import MadeFile, Segment
from tamis.engine.ports.inference import ModelInfo, Models, Pixels, Samples
from tamis.engine.text_features import text_vectors
from tamis.engine.visual_features import visual_feature
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_sound import Transcript, Word
from tamis.model.media_video import Film, KeyFrame, Shot
from tamis.model.vector import Dense, Vector

_SHORTEST_PAUSE_MS = 500
_PICTURES_AT_ONCE = 16

FILM_FIELDS: Mapping[str, JSON] = {
    **TIME_FIELDS,
    "text": {"type": "text", "description": "What is said in the segment; absent where nothing is."},
    "transcription": {"type": "text", "description": "The same, by the contract's name."},
    "words": {"type": "array", "description": "Each word with start_ms, end_ms and the model's probability."},
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


def film_segments(file: Path, chosen: FilmParameters, decoding: Decoding, models: Models) -> list[Segment]:
    """One for each shot. Cost: one pass over the video, one over its sound, a model pass a key frame and a transcript.

    Raises: DecodeError.
    """
    with decoding.folder() as work:
        said = _said(file, chosen, decoding, models, work)
        film = decoding.decode("video", file, chosen.options(said.pauses_ms), Film, work)
        spans = [(shot.start_ms, shot.end_ms) for shot in film.shots]
        words = aligned(said.transcript, spans) if said.transcript is not None else [()] * len(spans)
        texts = [" ".join(word.text for word in part) for part in words]
        language = said.transcript.language if said.transcript is not None else None
        spoken = _read(texts, chosen, models, language)
        seen = _seen([shot.key for shot in film.shots], chosen, models)
        return [
            Segment(
                {**_fields(film, place, part, text), **({"language": language} if text and language else {})},
                {**heard_as, **next(seen)},
                files=(_key_frame(shot.key),) if chosen.enable_thumbnails else (),
            )
            for place, (shot, part, text, heard_as) in enumerate(zip(film.shots, words, texts, spoken, strict=True))
        ]


def film_models(chosen: FilmParameters, models: Models) -> list[ModelInfo]:
    """Those that its segments are made with. Raises: ModelMissingError."""
    asked: list[ModelInfo] = []
    if chosen.run_transcription:
        asked.append(models.transcriber(chosen.transcription_model).info)
    if chosen.run_transcription and chosen.run_transcription_embedding:
        asked.append(models.embedder(chosen.model).info)
    if chosen.run_multimodal_embedding:
        asked.append(models.visual(chosen.visual_model).info)
    return asked


def pixels(path: Path) -> Pixels:
    """A picture of our own making."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


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


def _read(
    texts: Sequence[str], chosen: FilmParameters, models: Models, language: str | None
) -> list[dict[str, Vector]]:
    """Of each segment its text's vectors; none where nothing is said."""
    if not chosen.run_transcription_embedding:
        return [{} for _ in texts]
    rows = iter(text_vectors([text for text in texts if text], models, chosen.model, language))
    return [next(rows) if text else {} for text in texts]


def _fields(film: Film, place: int, words: Sequence[Word], text: str) -> dict[str, JSON]:
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
    if text:
        fields |= {"text": text, "transcription": text, "words": noted(words)}
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
