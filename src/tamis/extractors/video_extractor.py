"""Video in, one document a shot: what is said and seen in it, its time, its key frame."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import BaseModel

from tamis.engine.contents.text_features import text_features
from tamis.engine.contents.visual_features import visual_feature
from tamis.engine.media.film_parameters import FilmParameters
from tamis.engine.media.films import FILM_FIELDS, film_models, film_segments
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import Cost, ExtractionFailure, Segment, SourceItem
from tamis.engine.ports.inference import ModelInfo, Models
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_video import VideoOptions
from tamis.model.vector import FeatureSpec

_NAME = "video_extractor"
_ALIASES = ("multimodal_embedding", "video_extractor_v1_multimodal_embedding")


class VideoParameters(FilmParameters):
    """Shots, with what is said in each."""


class VideoExtractor:
    """video_extractor@v1. Cost: about that of decoding, and of transcribing where there is speech.

    Memory does not grow with the length of the video, but with its shots: about 50 kB of key frame each.
    """

    name: ClassVar[str] = _NAME
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Shots of a video, each with its key frame and what is said in it."
    icon: ClassVar[str] = "film"
    supported_input_types: ClassVar[tuple[str, ...]] = ("video",)
    max_inputs: ClassVar[Mapping[str, int]] = {"video": 1}
    limits: ClassVar[Mapping[str, float]] = {"seconds": 86_400, "segments": VideoOptions().most_shots}
    cost: ClassVar[Cost] = Cost(
        4, "one decoding, a look at each key frame, a speech model over all that is said; OCR if asked for"
    )
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"video": {"type": "string", "format": "binary", "description": "A video, or an animated GIF."}},
        "required": ["video"],
    }
    is_repeatable: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = VideoParameters

    def __init__(self, models: Models | None = None, decoding: Decoding | None = None) -> None:
        self._models = models
        self._decoding = decoding

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        chosen = cast(FilmParameters, parameters)
        text = text_features(self._models, chosen.model) if chosen.embeds_texts else ()
        if not chosen.run_multimodal_embedding:
            return text
        return (*text, visual_feature(self._models, chosen.visual_model, *_ALIASES))

    def made_with(self, parameters: BaseModel, models: Models) -> Sequence[ModelInfo]:
        """Raises: ModelMissingError."""
        return film_models(cast(FilmParameters, parameters), models)

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {**FILM_FIELDS}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        return [self._one(item, cast(FilmParameters, parameters), models) for item in items]

    def _one(self, item: SourceItem, chosen: FilmParameters, models: Models) -> Sequence[Segment] | ExtractionFailure:
        file = item.files.get("video")
        if file is None:
            return ExtractionFailure("the input 'video' is no file: give it as a blob, base64, a data URI or an upload")
        if self._decoding is None:
            return ExtractionFailure("videos cannot be decoded here: pip install 'tamis[media]'", "dependency")
        try:
            return film_segments(file.path, chosen, self._decoding, models)
        except DecodeError as error:
            return ExtractionFailure(error.message, error.error_type)
