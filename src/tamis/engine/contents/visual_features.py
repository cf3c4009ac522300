"""What every extractor that finds pictures makes of them; one that is asked with is looked at in the same way."""

from pathlib import Path

import numpy as np

from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.inference import Models, Pixels, ReadText
from tamis.errors import ModelMissingError, UnknownModelError, ValidationError
from tamis.model.media_picture import Picture, PictureOptions
from tamis.model.vector import FeatureSpec, FloatArray, Space, VectorKind

DEFAULT_MODEL = "color-gradient-descriptor"
"""What looks at pictures where no model is named."""
DEFAULT_DIMENSIONS = 750
DESCRIPTOR = "color_gradient_descriptor"
EMBEDDING = "visual_embedding"
READING_SIDE = 1600
"""Pixels, at most, of a picture in which text is read."""


def visual_feature(
    models: Models | None, model: str | None, *aliases: str, parameter: str = "visual_model"
) -> FeatureSpec:
    """`color_gradient_descriptor` where no model is named, else `visual_embedding` by that model.

    parameter: of the extractor, that names the model.
    Raises: ValidationError where there is no such model, ModelMissingError where it is away.
    """
    if model is None or model == DEFAULT_MODEL:
        return FeatureSpec(
            name=DESCRIPTOR,
            kind=VectorKind.DENSE,
            dimensions=DEFAULT_DIMENSIONS,
            inference_name=DEFAULT_MODEL,
            aliases=(EMBEDDING, *aliases),
            description="Colours, lightness and outlines of the picture; not what it shows.",
            space=Space.VISUAL,
        )
    if models is None:
        raise ModelMissingError(f"this server offers no model that looks at pictures but {DEFAULT_MODEL}", model=model)
    try:
        info = models.visual(model).info
    except UnknownModelError as unknown:
        raise ValidationError.at(["body", "feature_extractor", "parameters", parameter], unknown.message) from unknown
    return FeatureSpec(
        name=EMBEDDING,
        kind=VectorKind.DENSE,
        dimensions=info.dimensions,
        inference_name=info.name,
        aliases=aliases,
        description=f"The picture as {info.name} sees it, {info.dimensions} numbers of unit length.",
        space=Space.VISUAL,
    )


def decoded(decoding: Decoding, file: Path, options: PictureOptions | None = None) -> Picture:
    """Raises: DecodeError."""
    # Nothing of a picture is too large to be answered, so that nothing is left in the folder to work in.
    return decoding.decode("picture", file, options or PictureOptions(), Picture, file.parent)


def pixels_of(picture: Picture) -> Pixels:
    found: Pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.shown_height, picture.shown_width, 3)
    return found


def embed_file(decoding: Decoding, models: Models, file: Path, model: str | None = None) -> FloatArray:
    """float32 [dim], unit length, as the model's row of a stored picture. Raises: DecodeError, ModelMissingError."""
    row: FloatArray = models.visual(model).embed_images([pixels_of(decoded(decoding, file))])[0]
    return row


def read_text(models: Models, pixels: Pixels) -> str:
    """What is written in a picture, a line below the other, each from the left. Raises: ModelMissingError."""
    lines: list[list[ReadText]] = []
    for found in sorted(models.ocr().read(pixels), key=lambda one: one.top + one.bottom):
        if lines and found.top + found.bottom < 2 * lines[-1][0].bottom:
            lines[-1].append(found)  # its middle is above the end of the line
        else:
            lines.append([found])
    return "\n".join(" ".join(one.text for one in sorted(line, key=lambda one: one.left)) for line in lines)
