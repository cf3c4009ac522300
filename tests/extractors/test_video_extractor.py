"""Video to segments, through the real decoder and the real models."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.extraction import Segment, SourceItem
from tamis.engine.ports.inference import Pixels
from tamis.errors import ValidationError
from tamis.extractors.video_extractor import VideoExtractor, VideoParameters
from tamis.inference.models import LocalModels
from tamis.model.vector import Dense, FloatArray
from tests.extractors.media_world import decoding, extracted, failure, item, media_models
from tests.extractors.test_audio_extractor import talk
from tests.media_samples import tone, write_slides, write_sound, write_video
from tests.shared_data import shared

__all__ = ["decoding", "media_models"]

RED, GREEN, BLUE = (220, 60, 60), (20, 80, 20), (100, 100, 250)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of four seconds; in the first and the last of them a bird is named."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sound = talk("blackbird", "turkey", "vulture")
    sound[4 * 16_000 : 8 * 16_000] = 0
    write_video(path, [RED, GREEN, BLUE], "libx264", seconds=4, sound=sound)
    return path


def test_shots_with_what_is_seen_and_said(film: Path, decoding: DecoderPool, media_models: LocalModels) -> None:
    extractor = VideoExtractor(media_models, decoding)
    found = extracted(extractor, item("video", film), media_models, visual_model="eyes")
    spans = [(segment.fields["start_ms"], segment.fields["end_ms"]) for segment in found]
    assert spans == [(0, 4000), (4000, 8000), (8000, 12000)]
    assert "blackbird" in str(found[0].fields["text"]).lower()
    assert "vulture" in str(found[2].fields["text"]).lower()
    assert [set(segment.vectors) for segment in found] == [
        {"embedding", "lexical", "visual_embedding"},
        {"visual_embedding"},
        {"embedding", "lexical", "visual_embedding"},
    ]
    assert "words" not in found[1].fields
    for segment, colour in zip(found, (RED, GREEN, BLUE), strict=True):
        assert int(np.argmax(values(segment, "visual_embedding"))) == int(np.argmax(colour))
        [key] = segment.files
        assert (key.field, key.role, key.content_type) == ("key_frame", "thumbnail", "image/jpeg")
        with Image.open(io.BytesIO(key.data)) as picture:
            assert picture.size == (160, 96)


def test_intervals_without_eyes_ears_or_pictures(film: Path, decoding: DecoderPool, media_models: LocalModels) -> None:
    extractor = VideoExtractor(media_models, decoding)
    found = extracted(
        extractor, item("video", film), media_models, split_method="time", time_split_interval=5,
        run_transcription=False, run_multimodal_embedding=False, enable_thumbnails=False,
    )  # fmt: skip
    assert [(one.fields["start_time"], one.fields["end_time"]) for one in found] == [(0, 5), (5, 10), (10, 12)]
    assert all(not one.vectors and not one.files and "text" not in one.fields for one in found)


def test_pauses_cut_where_it_falls_silent(tmp_path: Path, decoding: DecoderPool, media_models: LocalModels) -> None:
    sound = np.concatenate([tone(300, 1.0), np.zeros(16_000, np.float32), tone(500, 2.0)])
    write_video(tmp_path / "a.mp4", [RED], "libx264", seconds=4, sound=sound)
    given = {"split_method": "silence", "run_multimodal_embedding": False, "run_transcription": False}
    extractor = VideoExtractor(media_models, decoding)
    found = extracted(extractor, item("video", tmp_path / "a.mp4"), media_models, **given)
    assert [one.fields["start_ms"] for one in found] == [0, pytest.approx(1500, abs=100)]
    write_video(tmp_path / "mute.mp4", [RED, GREEN], "libx264")
    [whole] = extracted(extractor, item("video", tmp_path / "mute.mp4"), media_models, **given)
    assert (whole.fields["start_ms"], whole.fields["end_ms"]) == (0, 2000)


def test_what_is_written_in_key_frames_is_read(
    tmp_path: Path, decoding: DecoderPool, media_models: LocalModels
) -> None:
    write_slides(tmp_path / "slides.mp4", ["Budget 2031", ""])
    extractor = VideoExtractor(media_models, decoding)
    written, empty = extracted(
        extractor, item("video", tmp_path / "slides.mp4"), media_models, run_ocr=True, run_transcription=False,
        split_method="time", time_split_interval=1,
    )  # fmt: skip
    assert (written.fields["ocr_text"], written.fields["text"]) == ("Budget 2031", "Budget 2031")
    assert "transcription" not in written.fields
    assert set(written.vectors) == {"embedding", "lexical", "color_gradient_descriptor"}
    assert (empty.fields["ocr_text"], set(empty.vectors)) == ("", {"color_gradient_descriptor"})
    [key] = written.files
    with Image.open(io.BytesIO(key.data)) as picture:
        assert picture.size == (640, 360)


def test_a_real_film_is_found_to_the_second(decoding: DecoderPool, media_models: LocalModels) -> None:
    """Smaller copies of frames find the second that they are from: 55 of 60 by colours and outlines; chance is 2."""
    path = shared("data/videos/big-buck-bunny-480p-30s.mp4")
    found = extracted(
        VideoExtractor(media_models, decoding), item("video", path), media_models, split_method="time",
        time_split_interval=1, run_transcription=False,
    )  # fmt: skip
    assert [one.fields["start_time"] for one in found] == list(range(30))
    rows = np.stack([values(one, "color_gradient_descriptor") for one in found])
    asked = media_models.visual().embed_images(frames(path, first_s=0.2, every_s=0.5))
    seconds = [int(0.2 + place * 0.5) for place in range(len(asked))]
    right = sum(int(np.argmax(rows @ row)) == second for row, second in zip(asked, seconds, strict=True))
    assert len(asked) == 60
    assert right >= 51


def frames(path: Path, first_s: float, every_s: float) -> list[Pixels]:
    """Half the size of the film, as if somebody had kept pictures of it."""
    kept: list[Pixels] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= first_s + len(kept) * every_s:
                kept.append(np.asarray(frame.reformat(width=427, height=240, format="rgb24").to_ndarray()))
    return kept


def values(segment: Segment, name: str) -> FloatArray:
    vector = segment.vectors[name]
    assert isinstance(vector, Dense)
    return vector.values


def test_what_is_wrong_with_one_source_stays_with_it(
    tmp_path: Path, decoding: DecoderPool, media_models: LocalModels
) -> None:
    extractor = VideoExtractor(media_models, decoding)
    write_sound(tmp_path / "sound.ogg", tone(300, 1.0), "libopus")
    (tmp_path / "junk.mp4").write_bytes(bytes(range(256)) * 100)
    assert "there is no video" in failure(extractor, item("video", tmp_path / "sound.ogg"), media_models).message
    assert "can be read" in failure(extractor, item("video", tmp_path / "junk.mp4"), media_models).message
    assert "is no file" in failure(extractor, SourceItem("x", {}), media_models).message


def test_an_unknown_model_is_refused_by_its_parameters_name(media_models: LocalModels) -> None:
    with pytest.raises(ValidationError, match="no-such-model") as refused:
        VideoExtractor(media_models).features(VideoParameters(visual_model="no-such-model"))
    assert refused.value.problems[0]["loc"][-1] == "visual_model"


def test_parameters_have_the_contracts_names() -> None:
    given = VideoParameters.model_validate(
        {"extractor_type": "video_extractor", "sensitivity": "high", "language": "en"}
    )
    assert given.options(()).threshold == pytest.approx(16.2)
    assert VideoParameters(scene_detection_threshold=0.5).options(()).threshold == pytest.approx(27.0)
    assert VideoParameters(split_method="silence").options((5,)).boundaries_ms == (5,)
    for unbuilt in ({"run_video_description": True}, {"response_shape": "names"}, {"use_cdn": True}):
        with pytest.raises(ValueError, match="this version"):
            VideoParameters.model_validate(unbuilt)
    assert VideoParameters.model_validate({"description_prompt": "x", "use_cdn": False})
