"""Pictures in, one document each: how it looks, and what is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, cast

from pydantic import AliasChoices, BaseModel, Field

from tamis.engine.ahead import ahead
from tamis.engine.contents.text_features import storable, text_features, text_vectors
from tamis.engine.contents.visual_features import READING_SIDE, decoded, pixels_of, read_text, visual_feature
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import (
    Cost,
    ExtractionFailure,
    ExtractorParameters,
    MadeFile,
    Segment,
    SourceItem,
)
from tamis.engine.ports.inference import ModelInfo, Models
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_picture import Picture, PictureOptions
from tamis.model.vector import Dense, FeatureSpec, Vector

_ALIASES = ("image_extractor_v1_embedding",)
_TEXTS = ("title", "caption", "description")
_AT_ONCE, _AHEAD = 8, 8
"""Pictures whose pixels are held together, and as many that are decoded meanwhile."""


class ImageParameters(ExtractorParameters):
    """What looks at the pictures, and what else is made of them."""

    model: str | None = Field(
        None,
        validation_alias=AliasChoices("model", "embedding_model"),
        description="Model that looks at the pictures, by name: a folder of the model directory, or fastembed's; "
        "a descriptor of colours and outlines where not given.",
    )
    text_model: str | None = Field(
        None, description="Model of the text feature by name; the server's default where not given."
    )
    language: str | None = Field(
        None, description="Language of the texts (such as 'de') for the lexical feature; detected where not given."
    )
    ocr: bool = Field(
        False,
        validation_alias=AliasChoices("ocr", "run_ocr", "enable_ocr"),
        description="Whether text in the pictures is read, into the text features; takes a second or more each.",
    )
    enable_thumbnails: bool = Field(True, description="Whether each document gets a small JPEG of its picture.")
    thumbnail_width: int = Field(640, ge=16, le=2048, description="In pixels, at most, as is its height.")
    thumbnail_quality: int = Field(85, ge=1, le=100, description="Of the JPEG.")


@dataclass(frozen=True, slots=True)
class _Seen:
    picture: Picture
    words: str
    read: str | None


class ImageExtractor:
    """image_extractor@v1.

    Vectors: how the picture looks, always; `embedding` and `lexical` where there is a text: its title, caption and
    description, and what is read in it.
    """

    name: ClassVar[str] = "image_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = (
        "How a picture looks, its colours and size, and the texts that go with it or are in it."
    )
    icon: ClassVar[str] = "image"
    supported_input_types: ClassVar[tuple[str, ...]] = ("image", "text", "string")
    max_inputs: ClassVar[Mapping[str, int]] = {"image": 1}
    limits: ClassVar[Mapping[str, float]] = {"pixels": PictureOptions().most_pixels}
    cost: ClassVar[Cost] = Cost(3, "one decoding and one look of the model for each picture; OCR if asked for")
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "image": {"type": "string", "format": "binary", "description": "The picture file."},
            **{name: {"type": "string", "description": f"Its {name}, for the text features."} for name in _TEXTS},
        },
        "required": ["image"],
    }
    is_repeatable: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = ImageParameters

    def __init__(self, models: Models | None = None, decoding: Decoding | None = None) -> None:
        self._models = models
        self._decoding = decoding

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        chosen = cast(ImageParameters, parameters)
        return (
            visual_feature(self._models, chosen.model, *_ALIASES, parameter="model"),
            *text_features(self._models, chosen.text_model, "text_model"),
        )

    def made_with(self, parameters: BaseModel, models: Models) -> Sequence[ModelInfo]:
        """Raises: ModelMissingError."""
        chosen = cast(ImageParameters, parameters)
        reading = (models.ocr().info,) if chosen.ocr else ()
        return (models.visual(chosen.model).info, models.embedder(chosen.text_model).info, *reading)

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        chosen = cast(ImageParameters, parameters)
        small = _SMALL if chosen.enable_thumbnails else {}
        return {"properties": {**_FIELDS, **small, **(_READ if chosen.ocr else {})}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        """Cost: a decoding and a look for each picture, a pass of the text model for each text."""
        chosen = cast(ImageParameters, parameters)
        outcomes: list[Sequence[Segment] | ExtractionFailure] = []
        looked_at = ahead((self._see(item, chosen, models) for item in items), _AHEAD)
        while seen := list(islice(looked_at, _AT_ONCE)):
            segments = iter(self._segments([one for one in seen if isinstance(one, _Seen)], chosen, models))
            outcomes += [one if isinstance(one, ExtractionFailure) else [next(segments)] for one in seen]
        return outcomes

    def _see(self, item: SourceItem, chosen: ImageParameters, models: Models) -> _Seen | ExtractionFailure:
        file = item.files.get("image")
        if file is None:
            return ExtractionFailure("the input 'image' is no file: give it as a blob, base64, a data URI or an upload")
        if self._decoding is None:
            return ExtractionFailure("pictures cannot be decoded here: pip install 'tamis[media]'", "dependency")
        options = PictureOptions(
            side=READING_SIDE if chosen.ocr else PictureOptions().side,
            thumbnail_width=chosen.thumbnail_width if chosen.enable_thumbnails else 0,
            quality=chosen.thumbnail_quality,
        )
        try:
            picture = decoded(self._decoding, file.path, options)
        except DecodeError as error:
            return ExtractionFailure(f"{error.message} (it is {file.content_type})", error.error_type)
        read = storable(read_text(models, pixels_of(picture))) if chosen.ocr else None
        texts = [str(item.inputs[name]) for name in _TEXTS if item.inputs.get(name)]
        words = "\n".join(storable(text) for text in (*texts, read or "") if text.strip())
        return _Seen(picture, words, read)

    def _segments(self, seen: Sequence[_Seen], chosen: ImageParameters, models: Models) -> list[Segment]:
        feature = visual_feature(models, chosen.model)
        rows = models.visual(chosen.model).embed_images([pixels_of(one.picture) for one in seen])
        worded = [one.words for one in seen if one.words]
        texts = iter(text_vectors(worded, models, chosen.text_model, chosen.language))
        return [
            _segment(one, {feature.name: Dense(row), **(next(texts) if one.words else {})})
            for one, row in zip(seen, rows, strict=True)
        ]


def _segment(seen: _Seen, vectors: Mapping[str, Vector]) -> Segment:
    picture = seen.picture
    fields: dict[str, JSON] = {
        "width": picture.width,
        "height": picture.height,
        "format": picture.format,
        "frames": picture.frames,
        "has_alpha": picture.has_alpha,
        "dominant_colors": [{"color": color.code, "share": color.share} for color in picture.colors],
    }
    if seen.words:
        fields["text"] = seen.words
    if seen.read is not None:
        fields["ocr_text"] = seen.read
    small = MadeFile("thumbnail", "thumbnail", "image/jpeg", picture.thumbnail, "thumbnail.jpg")
    return Segment(fields, vectors, files=(small,) if picture.thumbnail else ())


_FIELDS: dict[str, JSON] = {
    "width": {"type": "integer", "description": "In pixels, of the picture as it is looked at, upright."},
    "height": {"type": "integer", "description": "Likewise."},
    "format": {"type": "string", "description": "Such as png, by what is in the file."},
    "frames": {"type": "integer", "description": "More than 1 where it moves; the first one was looked at."},
    "has_alpha": {"type": "boolean", "description": "Whether something shows through; that was laid on white."},
    "dominant_colors": {"type": "array", "description": "Up to five: {color: '#rrggbb', share: 0..1}."},
    "text": {"type": "text", "description": "Title, caption, description and what was read: what is searched by text."},
}
_SMALL: dict[str, JSON] = {"thumbnail": {"type": "image", "description": "The document's file that shows it small."}}
_READ: dict[str, JSON] = {"ocr_text": {"type": "text", "description": "What is written in the picture."}}
