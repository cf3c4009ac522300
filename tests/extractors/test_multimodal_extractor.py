"""Videos, pictures and texts in one collection."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.extraction import SourceItem
from tamis.extractors.multimodal_extractor import MultimodalExtractor, MultimodalParameters
from tamis.inference.models import LocalModels
from tamis.model.vector import Dense
from tests.extractors.media_world import decoding, extracted, failure, item, media_models
from tests.media_samples import write_video

__all__ = ["decoding", "media_models"]

RED, GREEN, BLUE = (220, 60, 60), (20, 80, 20), (60, 60, 250)


@pytest.fixture
def extractor(decoding: DecoderPool, media_models: LocalModels) -> MultimodalExtractor:
    return MultimodalExtractor(media_models, decoding)


def row(segment_vectors: object) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    assert isinstance(segment_vectors, Dense)
    return np.asarray(segment_vectors.values)


def test_a_text_lies_near_the_picture_and_the_segment_that_it_describes(
    tmp_path: Path, extractor: MultimodalExtractor, media_models: LocalModels
) -> None:
    Image.new("RGB", (300, 200), BLUE).save(tmp_path / "sky.png")
    write_video(tmp_path / "film.mp4", [RED, GREEN], "libx264", seconds=2)
    given = {"visual_model": "eyes", "time_split_interval": 2}
    [sky] = extracted(extractor, item("image", tmp_path / "sky.png"), media_models, **given)
    red, green = extracted(extractor, item("video", tmp_path / "film.mp4"), media_models, **given)
    rows = [row(one.vectors["visual_embedding"]) for one in (sky, red, green)]
    for place, word in enumerate(("blue", "red", "green")):
        [said] = extracted(extractor, SourceItem("t", {"text": word}), media_models, **given)
        assert set(said.vectors) == {"embedding", "lexical", "visual_embedding"}
        assert said.fields == {"media_type": "text", "text": word}
        assert int(np.argmax([one @ row(said.vectors["visual_embedding"]) for one in rows])) == place
    assert (sky.fields["media_type"], sky.fields["width"], sky.files[0].field) == ("image", 300, "thumbnail")
    assert (red.fields["start_ms"], green.fields["end_ms"], red.files[0].field) == (0, 4000, "key_frame")


def test_by_default_pictures_are_described_and_texts_are_texts(
    tmp_path: Path, extractor: MultimodalExtractor, media_models: LocalModels
) -> None:
    Image.new("RGB", (300, 200), BLUE).save(tmp_path / "sky.png")
    both = SourceItem("b", {"text": "a blue sky"}, item("image", tmp_path / "sky.png").files)
    sky, words = extracted(extractor, both, media_models)
    assert set(sky.vectors) == {"color_gradient_descriptor"}
    assert set(words.vectors) == {"embedding", "lexical"}
    [plain] = extracted(extractor, item("image", tmp_path / "sky.png"), media_models, run_multimodal_embedding=False)
    assert plain.vectors == {}


def test_what_is_written_in_a_picture_is_read_if_asked_for(
    tmp_path: Path, extractor: MultimodalExtractor, media_models: LocalModels
) -> None:
    image = Image.new("RGB", (420, 80), "white")
    ImageDraw.Draw(image).text((20, 20), "Invoice 4711", fill="black", font=ImageFont.load_default(28))
    image.save(tmp_path / "bill.png")
    [bill] = extracted(extractor, item("image", tmp_path / "bill.png"), media_models, run_ocr=True)
    assert (bill.fields["ocr_text"], bill.fields["text"]) == ("Invoice 4711", "Invoice 4711")
    assert set(bill.vectors) == {"embedding", "lexical", "color_gradient_descriptor"}


def test_what_a_file_is_decides_and_not_its_name(
    tmp_path: Path, extractor: MultimodalExtractor, media_models: LocalModels
) -> None:
    write_video(tmp_path / "a.gif", [GREEN, BLUE], "gif")
    Image.new("RGB", (30, 20), RED).save(tmp_path / "b.png")
    (tmp_path / "b.png").rename(tmp_path / "b.mp4")
    moving = extracted(extractor, item("image", tmp_path / "a.gif"), media_models, split_method="scene")
    assert [one.fields["start_ms"] for one in moving] == [0, 1000]
    [still] = extracted(extractor, item("video", tmp_path / "b.mp4"), media_models)
    assert still.fields["media_type"] == "image"


def test_what_is_wrong_with_one_source_stays_with_it(
    tmp_path: Path, extractor: MultimodalExtractor, media_models: LocalModels
) -> None:
    (tmp_path / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    assert failure(extractor, item("image", tmp_path / "junk.png"), media_models).message
    assert "no file and no text" in failure(extractor, SourceItem("x", {"text": " "}), media_models).message
    blind = MultimodalExtractor(media_models)
    assert failure(blind, item("image", tmp_path / "junk.png"), media_models).error_type == "dependency"


def test_defaults_are_the_contracts() -> None:
    named = {"extractor_type": "multimodal_extractor", "transcription_language": "en"}
    given = MultimodalParameters.model_validate(named)
    assert (given.split_method, given.time_split_interval, given.run_transcription) == ("time", 10, False)
    assert given.options(()).interval_ms == 10_000
