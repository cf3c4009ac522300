"""Pictures to documents: how they look, what is said of them, what is wrong with those that are none."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tamis.decoding.pool import DecoderPool
from tamis.engine.contents.visual_features import DESCRIPTOR, embed_file
from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.errors import ValidationError
from tamis.extractors import ExtractorRegistry
from tamis.extractors.image_extractor import ImageExtractor, ImageParameters
from tamis.inference.models import LocalModels
from tamis.model.json import JSON
from tamis.model.vector import Dense, Space
from tamis.testing.extractor_contract import ExtractorContract
from tests.drawing import drawn, encoded
from tests.source_files import on_disk


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecoderPool]:
    pool = DecoderPool(tmp_path_factory.mktemp("decoding"), workers=1)
    yield pool
    pool.close()


def item(folder: Path, data: bytes | None = None, seed: int = 0, **inputs: JSON) -> SourceItem:
    file = on_disk(encoded(drawn(seed=seed)) if data is None else data, folder)
    return SourceItem("src", {"image": "blob://x", **inputs}, {"image": file})


def extract(models: LocalModels, decoding: DecoderPool, source: SourceItem, **parameters: Any) -> Segment:
    extractor = ImageExtractor(models, decoding)
    [outcome] = extractor.extract([source], ImageParameters.model_validate(parameters), models)
    assert not isinstance(outcome, ExtractionFailure), outcome.message
    [segment] = outcome
    return segment


class TestContract(ExtractorContract):
    @pytest.fixture
    def extractor(self, models: LocalModels, decoding: DecoderPool) -> Extractor:
        return ImageExtractor(models, decoding)

    @pytest.fixture
    def good(self, tmp_path: Path) -> Sequence[SourceItem]:
        return [
            item(tmp_path),
            item(tmp_path, encoded(drawn(seed=1), "JPEG"), caption="A mill."),
            item(tmp_path, seed=2),
            item(tmp_path, seed=3, title="Wheel", description="Of wood."),
        ]

    @pytest.fixture
    def bad(self, tmp_path: Path) -> Sequence[SourceItem]:
        return [
            item(tmp_path, b""),
            item(tmp_path, b"%PDF-1.4 no picture"),
            item(tmp_path, encoded(drawn())[:200]),
            SourceItem("src", {"image": "a.png"}),
        ]


def test_fields_thumbnail_and_vectors(models: LocalModels, decoding: DecoderPool, tmp_path: Path) -> None:
    source = item(tmp_path, encoded(drawn(800, 600)), caption="A mill.", description="It stands still.")
    segment = extract(models, decoding, source)
    assert segment.fields["text"] == "A mill.\nIt stands still."
    assert [segment.fields[name] for name in ("width", "height", "format", "frames")] == [800, 600, "png", 1]
    assert set(segment.vectors) == {DESCRIPTOR, "embedding", "lexical"}
    [thumbnail] = segment.files
    assert (thumbnail.field, thumbnail.role, thumbnail.content_type) == ("thumbnail", "thumbnail", "image/jpeg")
    assert thumbnail.data.startswith(b"\xff\xd8\xff")


def test_what_is_written_in_it_is_read(models: LocalModels, decoding: DecoderPool, tmp_path: Path) -> None:
    image = Image.new("RGB", (420, 120), "white")
    for place, text in enumerate(("Invoice 4711", "Total 12.50 EUR")):
        ImageDraw.Draw(image).text((20, 20 + 45 * place), text, fill="black", font=ImageFont.load_default(28))
    segment = extract(models, decoding, item(tmp_path, encoded(np.asarray(image)), caption="A bill."), ocr=True)
    assert segment.fields["ocr_text"] == "Invoice 4711\nTotal 12.50 EUR"
    assert segment.fields["text"] == "A bill.\nInvoice 4711\nTotal 12.50 EUR"


def test_without_a_text_there_are_no_text_vectors(models: LocalModels, decoding: DecoderPool, tmp_path: Path) -> None:
    segment = extract(models, decoding, item(tmp_path, caption=" "), enable_thumbnails=False)
    assert set(segment.vectors) == {DESCRIPTOR}
    assert "text" not in segment.fields
    assert segment.files == ()


def test_a_query_file_is_looked_at_alike(models: LocalModels, decoding: DecoderPool, tmp_path: Path) -> None:
    source = item(tmp_path)
    stored = extract(models, decoding, source).vectors[DESCRIPTOR]
    assert isinstance(stored, Dense)
    assert np.array_equal(embed_file(decoding, models, source.files["image"].path), stored.values)


def test_features_say_what_they_are(models: LocalModels) -> None:
    visual, embedding, lexical = ImageExtractor(models).features(ImageParameters())
    assert (visual.name, visual.space, visual.inference_name) == (
        "color_gradient_descriptor", Space.VISUAL, "color-gradient-descriptor",
    )  # fmt: skip
    assert "image_extractor_v1_embedding" in visual.aliases
    assert (embedding.space, lexical.name) == (Space.TEXT, "lexical")


@pytest.mark.parametrize("name", ["model", "text_model"])
def test_an_unknown_model_is_refused_by_its_parameters_name(models: LocalModels, name: str) -> None:
    with pytest.raises(ValidationError, match="no-such-model") as refused:
        ImageExtractor(models).features(ImageParameters.model_validate({name: "no-such-model"}))
    assert refused.value.problems[0]["loc"][-1] == name


def test_the_thumbnail_is_a_field_where_there_is_one() -> None:
    made = [ImageExtractor().output_schema(ImageParameters(enable_thumbnails=wanted)) for wanted in (True, False)]
    assert ["thumbnail" in str(schema) for schema in made] == [True, False]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "the file is empty (it is inode/x-empty)"), (b"%PDF-1.4 ", "no picture that can be read")],
)
def test_what_is_no_picture_says_so(
    models: LocalModels, decoding: DecoderPool, tmp_path: Path, data: bytes, reason: str
) -> None:
    [outcome] = ImageExtractor(models, decoding).extract([item(tmp_path, data)], ImageParameters(), models)
    assert isinstance(outcome, ExtractionFailure)
    assert reason in outcome.message
    assert outcome.error_type == "validation"


def test_it_is_in_the_registry_by_both_names() -> None:
    registry: Mapping[str, Any] = {name: ExtractorRegistry().get(name, "v1") for name in ("image", "image_extractor")}
    assert {type(found) for found in registry.values()} == {ImageExtractor}
