"""The extractors of sound and video hold to the contract that third parties' are held to."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from pydantic import BaseModel

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.extraction import Extractor, SourceItem
from tamis.engine.ports.inference import Models
from tamis.extractors.audio_extractor import AudioExtractor, AudioParameters
from tamis.extractors.multimodal_extractor import MultimodalExtractor, MultimodalParameters
from tamis.extractors.video_extractor import VideoExtractor, VideoParameters
from tamis.inference.models import LocalModels
from tamis.testing.extractor_contract import ExtractorContract
from tests.extractors.media_world import decoding, item, media_models
from tests.media_samples import tone, write_sound, write_video

__all__ = ["decoding", "media_models"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("media")
    write_sound(made / "low.ogg", tone(200, 0.6), "libopus")
    write_sound(made / "high.wav", tone(900, 0.6), "pcm_s16le")
    write_video(made / "two.mp4", [(220, 60, 60), (20, 80, 20)], "libx264")
    write_video(made / "one.webm", [(100, 100, 250)], "libvpx")
    Image.new("RGB", (40, 30), "red").save(made / "red.png")
    (made / "cut.mp4").write_bytes((made / "two.mp4").read_bytes()[:300])
    (made / "junk.wav").write_bytes(bytes(range(256)) * 9)
    (made / "empty.png").touch()
    return made


class _Media(ExtractorContract):
    @pytest.fixture
    def models(self, media_models: LocalModels) -> Models:
        return media_models


class TestAudio(_Media):
    @pytest.fixture
    def extractor(self, media_models: LocalModels, decoding: DecoderPool) -> Extractor:
        return AudioExtractor(media_models, decoding)

    @pytest.fixture
    def parameters(self) -> BaseModel:
        return AudioParameters(run_transcription=False)

    @pytest.fixture
    def good(self, folder: Path) -> Sequence[SourceItem]:
        return [item("audio", folder / name) for name in ("low.ogg", "high.wav")]

    @pytest.fixture
    def bad(self, folder: Path) -> Sequence[SourceItem]:
        return [item("audio", folder / "junk.wav"), item("audio", folder / "one.webm")]


class TestVideo(_Media):
    @pytest.fixture
    def extractor(self, media_models: LocalModels, decoding: DecoderPool) -> Extractor:
        return VideoExtractor(media_models, decoding)

    @pytest.fixture
    def parameters(self) -> BaseModel:
        return VideoParameters(run_transcription=False)

    @pytest.fixture
    def good(self, folder: Path) -> Sequence[SourceItem]:
        return [item("video", folder / name) for name in ("two.mp4", "one.webm")]

    @pytest.fixture
    def bad(self, folder: Path) -> Sequence[SourceItem]:
        return [item("video", folder / "cut.mp4"), item("video", folder / "low.ogg")]


class TestMultimodal(_Media):
    @pytest.fixture
    def extractor(self, media_models: LocalModels, decoding: DecoderPool) -> Extractor:
        return MultimodalExtractor(media_models, decoding)

    @pytest.fixture
    def parameters(self) -> BaseModel:
        return MultimodalParameters(visual_model="eyes", time_split_interval=1)

    @pytest.fixture
    def good(self, folder: Path) -> Sequence[SourceItem]:
        words = SourceItem("words", {"text": "a red one"})
        return [item("video", folder / "two.mp4"), item("image", folder / "red.png"), words]

    @pytest.fixture
    def bad(self, folder: Path) -> Sequence[SourceItem]:
        nothing = SourceItem("nothing", {})
        return [item("video", folder / "cut.mp4"), item("image", folder / "empty.png"), nothing]
