"""Sound in, passages of speech out, each with its words, their times and the text's features; and how it sounds."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import AliasChoices, BaseModel, Field

from tamis.engine.ahead import ahead
from tamis.engine.contents.text_features import text_features, text_vectors
from tamis.engine.media.passages import Passage, noted, passages
from tamis.engine.media.pauses import Span, sounds_between
from tamis.engine.media.sounds import SOUND, TIME_FIELDS, heard, sound_feature, stretch, timed
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import Cost, ExtractionFailure, ExtractorParameters, Segment, SourceItem
from tamis.engine.ports.inference import ModelInfo, Models, Samples
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_sound import Sound, Transcript
from tamis.model.vector import Dense, FeatureSpec, Vector

_NAME = "audio_extractor"
_SILENT_DB = -40.0
"""Below full scale, as videos take it for silence."""


class AudioParameters(ExtractorParameters):
    """How speech is found and cut, and which models read it."""

    run_transcription: bool = Field(True, description="Find speech and write down what is said.")
    transcription_language: str | None = Field(
        None,
        validation_alias=AliasChoices("transcription_language", "language"),
        description="Language that is spoken, such as 'en'; the speech model's own, or what it hears, where not given.",
    )
    transcription_model: str | None = Field(
        None, description="Speech model by name; the server's default (English) where not given."
    )
    passage_s: float = Field(
        30.0, gt=0, le=600, description="Longest passage in seconds; whole utterances are packed within it."
    )
    pause_s: float = Field(2.0, gt=0, le=60, description="A pause so long always ends a passage.")
    run_sound_descriptor: bool = Field(
        True, description="Also describe how each segment sounds, for search by an example."
    )
    shortest_sound_s: float | None = Field(
        3.0,
        ge=0.5,
        le=3600,
        description="Music and noises between passages that last so long, in seconds, are documents of their own, "
        "found by how they sound; null for none.",
    )
    longest_s: float = Field(21_600.0, gt=0, le=86_400, description="A recording that lasts longer is refused.")
    model: str | None = Field(
        None,
        validation_alias=AliasChoices("model", "embedding_model"),
        description="Text embedding model by name; the server's default where not given.",
    )


class AudioExtractor:
    """audio_extractor@v1. One document a passage and a stretch of sound between two; one for a sound without speech.

    Cost: the speech model reads some ten times as fast as people speak, on one core.  Memory does not grow with length.
    """

    name: ClassVar[str] = _NAME
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Speech as passages of text with word times; any sound by how it sounds."
    icon: ClassVar[str] = "audio-lines"
    supported_input_types: ClassVar[tuple[str, ...]] = ("audio", "video")
    max_inputs: ClassVar[Mapping[str, int]] = {"audio": 1}
    limits: ClassVar[Mapping[str, float]] = {"seconds": 86_400}
    cost: ClassVar[Cost] = Cost(4, "a speech model over all that is said, a text model pass a passage")
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "audio": {
                "type": "string",
                "format": "binary",
                "description": "A file of sound, or a video whose sound is meant.",
            }
        },
        "required": ["audio"],
    }
    is_repeatable: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = AudioParameters

    def __init__(self, models: Models | None = None, decoding: Decoding | None = None) -> None:
        self._models = models
        self._decoding = decoding

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        chosen = cast(AudioParameters, parameters)
        specs = text_features(self._models, chosen.model) if chosen.run_transcription else ()
        return (*specs, sound_feature(_NAME)) if chosen.run_sound_descriptor else specs

    def made_with(self, parameters: BaseModel, models: Models) -> Sequence[ModelInfo]:
        """Raises: ModelMissingError."""
        chosen = cast(AudioParameters, parameters)
        reading: tuple[ModelInfo, ...] = ()
        if chosen.run_transcription:
            reading = (models.transcriber(chosen.transcription_model).info, models.embedder(chosen.model).info)
        return (*reading, models.acoustic().info)

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {**TIME_FIELDS, **_FIELDS}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        """The next sound is decoded while the models have the last."""
        chosen = cast(AudioParameters, parameters)
        return [
            one if isinstance(one, ExtractionFailure) else _segments(*one, chosen, models)
            for one in ahead(self._heard(items, chosen))
        ]

    def _heard(
        self, items: Sequence[SourceItem], chosen: AudioParameters
    ) -> Generator[tuple[Sound, Samples] | ExtractionFailure, None, None]:
        if self._decoding is None:
            missing = ExtractionFailure("sounds cannot be decoded here: pip install 'tamis[media]'", "dependency")
            yield from [missing] * len(items)
            return
        with self._decoding.folder() as work:
            for item in items:
                try:
                    file = item.files.get("audio")
                    if file is None:
                        raise DecodeError(_NO_FILE)
                    yield heard(self._decoding, file.path, work, chosen.longest_s)
                except DecodeError as error:
                    yield ExtractionFailure(error.message, error.error_type)


_NO_FILE = "the input 'audio' is no file: give it as a blob, base64, a data URI or an upload"
_FIELDS: Mapping[str, JSON] = {
    "text": {"type": "text", "description": "What is said in the passage; absent where nothing is."},
    "transcription": {"type": "text", "description": "The same, by the contract's name."},
    "words": {"type": "array", "description": "Each word with start_ms, end_ms and the model's probability."},
    "passage_index": {"type": "integer", "description": "Place of this document among those of its source, from 0."},
    "passage_count": {"type": "integer", "description": "How many documents its source has."},
    "has_speech": {"type": "boolean", "description": "Whether anything is said in it."},
    "language": {"type": "string", "description": "Of the speech."},
    "duration_s": {"type": "float", "description": "Of the whole recording."},
    "audio": {"type": "object", "description": "codec, container, sample_rate, channels and tags of the recording."},
    "damage": {"type": "string", "description": "What of the file could not be read, where something could not."},
}


def _segments(sound: Sound, samples: Samples, chosen: AudioParameters, models: Models) -> list[Segment]:
    said = None
    if chosen.run_transcription:
        said = models.transcriber(chosen.transcription_model).transcribe(samples, chosen.transcription_language)
    found = passages(said, chosen.passage_s, chosen.pause_s) if said is not None else []
    shared = _shared(sound, said)
    if not found:
        fields = {**timed(0.0, sound.duration_s), "passage_index": 0, "passage_count": 1, **shared}
        return [Segment(fields, _sounds(samples, chosen, models))]
    language = said.language if said is not None else None
    vectors = text_vectors([passage.text for passage in found], models, chosen.model, language)
    parts = [
        *(
            (passage.start_s, passage.end_s, _said(passage, language), made)
            for passage, made in zip(found, vectors, strict=True)
        ),
        *((start_s, end_s, _UNSPOKEN, {}) for start_s, end_s in _between(found, samples, chosen)),
    ]
    return [
        Segment(
            {**shared, **timed(start_s, end_s), "passage_index": place, "passage_count": len(parts), **fields},
            {**made, **_sounds(stretch(samples, start_s, end_s), chosen, models)},
        )
        for place, (start_s, end_s, fields, made) in enumerate(sorted(parts, key=lambda part: part[:2]))
    ]


def _between(found: Sequence[Passage], samples: Samples, chosen: AudioParameters) -> list[Span]:
    """What sounds without being speech, where anybody could find it."""
    if not chosen.run_sound_descriptor or chosen.shortest_sound_s is None:
        return []
    spoken = [(passage.start_s, passage.end_s) for passage in found]
    return sounds_between(samples, spoken, _SILENT_DB, chosen.pause_s, chosen.shortest_sound_s)


_UNSPOKEN: Mapping[str, JSON] = {"has_speech": False}


def _said(passage: Passage, language: str | None) -> Mapping[str, JSON]:
    spoken: dict[str, JSON] = {"text": passage.text, "transcription": passage.text, "words": noted(passage.words)}
    return {**spoken, **({"language": language} if language else {})}


def _shared(sound: Sound, said: Transcript | None) -> dict[str, JSON]:
    """What all segments of a recording have in common."""
    fields: dict[str, JSON] = {
        "duration_s": round(sound.duration_s, 3),
        "audio": {
            "codec": sound.codec,
            "container": sound.container,
            "sample_rate": sound.sample_rate,
            "channels": sound.channels,
            "tags": {**sound.tags},
        },
    }
    if said is not None:
        fields["has_speech"] = bool(said.utterances)
    if sound.damage is not None:
        fields["damage"] = sound.damage
    return fields


def _sounds(samples: Samples, chosen: AudioParameters, models: Models) -> dict[str, Vector]:
    return {SOUND: Dense(models.acoustic().describe(samples))} if chosen.run_sound_descriptor else {}
