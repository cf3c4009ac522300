"""How a video falls into segments and what is made of each: the contract's names, and ours beside them."""

from typing import Any, Literal

from pydantic import AliasChoices, Field, model_validator

from tamis.engine.contents.visual_features import READING_SIDE
from tamis.engine.ports.extraction import ExtractorParameters
from tamis.model.media_video import VideoOptions

# The contract's 0.5 is the measure of hue, saturation and brightness that PySceneDetect takes for a cut.
_OF_THRESHOLD = 54.0
_SENSITIVITY = {"low": 0.5, "medium": 0.4, "high": 0.3}
_NEEDS_A_LANGUAGE_MODEL = ("run_video_description", "response_shape")
_ABOUT_IT = ("description_prompt", "generation_config")

SplitMethod = Literal["scene", "time", "silence"]


class FilmParameters(ExtractorParameters):
    """Segments of a video: shots, intervals, or what lies between pauses."""

    split_method: SplitMethod = Field(
        "scene",
        description="Cut where the picture changes, every time_split_interval seconds, or where it falls silent.",
    )
    time_split_interval: int = Field(10, ge=1, le=3600, description="Seconds of a segment with split_method 'time'.")
    scene_detection_threshold: float | None = Field(
        None, ge=0.01, le=1, description="How much of the picture must change at a cut; by sensitivity where not given."
    )
    sensitivity: Literal["low", "medium", "high"] = Field(
        "low", description="scene_detection_threshold in words: 0.5, 0.4, 0.3."
    )
    silence_db_threshold: int = Field(
        -40, ge=-90, le=-1, description="Decibels below full scale that are silence, with split_method 'silence'."
    )
    longest_segment_s: float = Field(120.0, ge=1, le=3600, description="A longer shot is cut there, too.")
    enable_thumbnails: bool = Field(
        True, description="Keep each segment's key frame as the document's file 'key_frame'."
    )
    run_transcription: bool = Field(True, description="Write down what is said in each segment.")
    run_transcription_embedding: bool = Field(True, description="Make what is said searchable by meaning and words.")
    transcription_language: str | None = Field(
        None,
        validation_alias=AliasChoices("transcription_language", "language"),
        description="Language that is spoken, such as 'en'; the speech model's own, or what it hears, where not given.",
    )
    transcription_model: str | None = Field(
        None, description="Speech model by name; the server's default (English) where not given."
    )
    run_multimodal_embedding: bool = Field(True, description="Make the key frame searchable by pictures.")
    run_ocr: bool = Field(
        False,
        validation_alias=AliasChoices("run_ocr", "ocr", "enable_ocr"),
        description="Read what is written in each key frame, into the text features; takes a second or more each.",
    )
    visual_model: str | None = Field(
        None,
        description="Model that looks at pictures, by name, such as a joint image-text model; a descriptor of colours "
        "and outlines where not given.",
    )
    model: str | None = Field(
        None,
        validation_alias=AliasChoices("model", "embedding_model"),
        description="Text embedding model by name; the server's default where not given.",
    )
    longest_s: float = Field(21_600.0, gt=0, le=86_400, description="A video that lasts longer is refused.")

    @model_validator(mode="before")
    @classmethod
    def _understand(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        given = {name: value for name, value in raw.items() if value is not None and name != "extractor_type"}
        for name in _NEEDS_A_LANGUAGE_MODEL:
            if given.pop(name, False):
                raise ValueError(f"{name!r} asks for a language model, which this version does not call for videos")
        if given.pop("use_cdn", False):
            raise ValueError("'use_cdn' is not offered by this version for videos")
        # What only says how the above is done says nothing without it.
        return {name: value for name, value in given.items() if name not in _ABOUT_IT}

    @property
    def embeds_texts(self) -> bool:
        """Whether segments of videos have text features."""
        return self.run_ocr or (self.run_transcription and self.run_transcription_embedding)

    def options(self, boundaries_ms: tuple[int, ...]) -> VideoOptions:
        """boundaries_ms: where it falls silent, for that method."""
        threshold = self.scene_detection_threshold or _SENSITIVITY[self.sensitivity]
        return VideoOptions(
            split="given" if self.split_method == "silence" else self.split_method,
            threshold=threshold * _OF_THRESHOLD,
            interval_ms=self.time_split_interval * 1000,
            boundaries_ms=boundaries_ms,
            longest_ms=round(self.longest_segment_s * 1000),
            reading_width=READING_SIDE if self.run_ocr else 0,
            longest_s=self.longest_s,
        )
