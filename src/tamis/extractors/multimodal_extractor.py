"""Video, pictures and text in one collection: segments of videos beside whole pictures and texts."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import AliasChoices, BaseModel, Field

from tamis.engine.contents.text_features import storable, text_features, text_vectors
from tamis.engine.contents.visual_features import READING_SIDE, decoded, pixels_of, read_text, visual_feature
from tamis.engine.media.film_parameters import FilmParameters, SplitMethod
from tamis.engine.media.films import FILM_FIELDS, film_models, film_segments
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import Cost, ExtractionFailure, MadeFile, Segment, SourceFile, SourceItem
from tamis.engine.ports.inference import JointEmbedder, ModelInfo, Models
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_picture import PictureOptions
from tamis.model.media_video import VideoOptions
from tamis.model.vector import Dense, FeatureSpec, Vector

_ALIASES = ("multimodal_embedding", "multimodal_extractor_v1_multimodal_embedding")
_FILES = ("video", "gif", "image")
_MOVING_PICTURES = ("image/gif", "image/apng")
_THUMBNAIL_WIDTH = 640


class MultimodalParameters(FilmParameters):
    """Those of videos, with the contract's defaults: intervals, and no transcript unless it is asked for."""

    split_method: SplitMethod = Field(
        "time",
        description="Cut every time_split_interval seconds, where the picture changes, or where it falls silent.",
    )
    run_transcription: bool = Field(False, description="Write down what is said in each segment of a video.")
    run_transcription_embedding: bool = Field(
        False, description="Make what is said in videos searchable by meaning and words."
    )
    text_language: str | None = Field(
        None,
        validation_alias=AliasChoices("text_language"),
        description="Language of text inputs for the lexical feature; detected where not given.",
    )


class MultimodalExtractor:
    """multimodal_extractor@v1. Of a source with several inputs, all are extracted.

    What a file is decides how it is read, not the input that it comes in by. A text lies in the space of the pictures,
    too, where the model reads texts.
    """

    name: ClassVar[str] = "multimodal_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Segments of videos, pictures and texts, side by side in the same features."
    icon: ClassVar[str] = "layers"
    supported_input_types: ClassVar[tuple[str, ...]] = ("video", "image", "text", "string")
    max_inputs: ClassVar[Mapping[str, int]] = {"video": 1, "gif": 1, "image": 1, "text": 1}
    limits: ClassVar[Mapping[str, float]] = {"seconds": 86_400, "segments": VideoOptions().most_shots}
    cost: ClassVar[Cost] = Cost(
        4, "one decoding, a look at each picture, a speech model over what is said and OCR if asked for"
    )
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "video": {"type": "string", "format": "binary", "description": "A video: one document a segment."},
            "gif": {"type": "string", "format": "binary", "description": "An animated picture, read as a video."},
            "image": {"type": "string", "format": "binary", "description": "A picture: one document."},
            "text": {"type": "string", "description": "A text: one document."},
        },
    }
    is_repeatable: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = MultimodalParameters

    def __init__(self, models: Models | None = None, decoding: Decoding | None = None) -> None:
        self._models = models
        self._decoding = decoding

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        chosen = cast(MultimodalParameters, parameters)
        text = text_features(self._models, chosen.model)
        if not chosen.run_multimodal_embedding:
            return text
        return (*text, visual_feature(self._models, chosen.visual_model, *_ALIASES))

    def made_with(self, parameters: BaseModel, models: Models) -> Sequence[ModelInfo]:
        """Raises: ModelMissingError."""
        chosen = cast(MultimodalParameters, parameters)
        return (models.embedder(chosen.model).info, *film_models(chosen, models))

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {**FILM_FIELDS, **_FIELDS}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        return [self._one(item, cast(MultimodalParameters, parameters), models) for item in items]

    def _one(
        self, item: SourceItem, chosen: MultimodalParameters, models: Models
    ) -> Sequence[Segment] | ExtractionFailure:
        found: list[Segment] = []
        try:
            for name in _FILES:
                if name in item.files:
                    found += self._file(item.files[name], chosen, models)
        except DecodeError as error:
            return ExtractionFailure(error.message, error.error_type)
        text = item.inputs.get("text")
        if isinstance(text, str) and text.strip():
            found.append(_text(storable(text), chosen, models))
        return found or ExtractionFailure("the source has no file and no text where input_mappings points")

    def _file(self, file: SourceFile, chosen: MultimodalParameters, models: Models) -> list[Segment]:
        """Raises: DecodeError."""
        if self._decoding is None:
            raise DecodeError("files cannot be decoded here: pip install 'tamis[media]'", "dependency")
        kind = file.content_type
        if kind.startswith("image/") and kind not in _MOVING_PICTURES:
            return [_picture(file, chosen, self._decoding, models)]
        return film_segments(file.path, chosen, self._decoding, models)


_FIELDS: dict[str, JSON] = {
    "media_type": {"type": "string", "description": "image or text, for documents that are no segment of a video."},
    "thumbnail": {"type": "image", "description": "The document's file that shows a picture small."},
    "width": {"type": "integer", "description": "Of a picture, in pixels."},
    "height": {"type": "integer", "description": "Likewise."},
    "format": {"type": "string", "description": "Of a picture, such as png."},
}


def _picture(file: SourceFile, chosen: MultimodalParameters, decoding: Decoding, models: Models) -> Segment:
    width = _THUMBNAIL_WIDTH if chosen.enable_thumbnails else 0
    side = READING_SIDE if chosen.run_ocr else PictureOptions().side
    seen = decoded(decoding, file.path, PictureOptions(side=side, thumbnail_width=width))
    fields: dict[str, JSON] = {
        "media_type": "image",
        "width": seen.width,
        "height": seen.height,
        "format": seen.format,
    }
    vectors: dict[str, Vector] = {}
    if chosen.run_ocr:
        fields["ocr_text"] = read = storable(read_text(models, pixels_of(seen)))
        if read:
            fields["text"] = read
            vectors |= text_vectors([read], models, chosen.model, chosen.text_language)[0]
    if chosen.run_multimodal_embedding:
        [row] = models.visual(chosen.visual_model).embed_images([pixels_of(seen)])
        vectors[visual_feature(models, chosen.visual_model).name] = Dense(row)
    small = MadeFile("thumbnail", "thumbnail", "image/jpeg", seen.thumbnail, "thumbnail.jpg")
    return Segment(fields, vectors, files=(small,) if seen.thumbnail else ())


def _text(text: str, chosen: MultimodalParameters, models: Models) -> Segment:
    [vectors] = text_vectors([text], models, chosen.model, chosen.text_language)
    if chosen.run_multimodal_embedding:
        looking = models.visual(chosen.visual_model)
        if isinstance(looking, JointEmbedder):
            [row] = looking.embed_texts([text])
            vectors[visual_feature(models, chosen.visual_model).name] = Dense(row)
    return Segment({"media_type": "text", "text": text}, vectors)
