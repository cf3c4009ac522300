"""Joint image-text models from a folder: rows checked by hand, pictures prepared as the folder says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tamis.engine.ports.inference import JointEmbedder
from tamis.errors import ModelMissingError, UnknownModelError
from tamis.inference.joint import Preparing
from tamis.inference.models import LocalModels
from tests.inference.joint_model import joint_model, plain

CLIP: dict[str, Any] = {
    "do_center_crop": True, "crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 224}, "resample": 3,
    "do_normalize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711], "rescale_factor": 0.00392156862745098,
}  # fmt: skip


def test_a_picture_lies_where_the_text_lies_that_describes_it(tmp_path: Path) -> None:
    joint_model(tmp_path / "openai" / "clip-tiny")
    model = LocalModels(tmp_path, threads=1).visual("openai__clip_tiny")
    assert isinstance(model, JointEmbedder)
    assert (model.info.name, model.info.dimensions, model.info.max_tokens) == ("openai/clip-tiny", 3, 6)
    seen = model.embed_images([plain((200, 0, 0)), plain((0, 30, 40))])
    read = model.embed_texts(["red", "blue green blue", "red red red red red red green"])
    assert seen == pytest.approx(np.array([[1, 0, 0], [0, 0.6, 0.8]]), abs=1e-6)
    assert read == pytest.approx(np.array([[1, 0, 0], [0, 0.4472136, 0.8944272], [1, 0, 0]]), abs=1e-6)
    assert (seen @ read.T).argmax(axis=1).tolist() == [0, 1]


def test_rows_do_not_depend_on_what_is_embedded_with_them(tmp_path: Path) -> None:
    joint_model(tmp_path / "tiny")
    model = LocalModels(tmp_path, threads=1).visual("tiny")
    assert isinstance(model, JointEmbedder)
    pictures = [plain((n, 255 - n, n // 2), 5 + n, 40 - n) for n in range(1, 21)]
    together = model.embed_images(pictures)
    assert all((model.embed_images([one])[0] == row).all() for one, row in zip(pictures, together, strict=True))
    assert model.embed_images([]).shape == (0, 3)
    assert model.embed_texts([]).shape == (0, 3)
    assert np.isfinite(model.embed_texts(["", "red \ud800", "word " * 100_000])).all()


def test_a_folder_without_texts_looks_at_pictures_only(tmp_path: Path) -> None:
    joint_model(tmp_path / "eyes", with_texts=False)
    model = LocalModels(tmp_path, threads=1).visual("eyes")
    assert not isinstance(model, JointEmbedder)
    assert model.embed_images([plain((0, 9, 0))]).tolist() == [[0, 1, 0]]


def test_pictures_are_prepared_as_clip_and_siglip_want_them() -> None:
    wide = np.zeros((300, 601, 3), np.uint8)
    wide[:, 200:401] = (255, 128, 0)
    clip = Preparing.of(CLIP).pixels(wide)
    assert clip.shape == (3, 224, 224)
    orange = (np.array([255, 128, 0]) / 255 - CLIP["image_mean"]) / CLIP["image_std"]
    assert clip[:, 112, 112] == pytest.approx(orange, abs=1e-5)
    siglip = Preparing.of({"size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    assert siglip.pixels(wide).shape == (3, 16, 16)
    assert siglip.pixels(wide).min() == -1.0
    with pytest.raises(ValueError, match="no size"):
        Preparing.of({})


def test_what_is_not_at_hand_or_cannot_be_used_says_so(tmp_path: Path) -> None:
    joint_model(tmp_path / "broken")
    (tmp_path / "broken" / "preprocessor_config.json").write_text(json.dumps({"do_resize": False}))
    joint_model(tmp_path / "cut")
    (tmp_path / "cut" / "onnx" / "text_model.onnx").write_bytes(b"no model")
    models = LocalModels(tmp_path, threads=1, downloads=False)
    for name in ("broken", "cut"):
        with pytest.raises(ModelMissingError, match=f"the model in .*{name} cannot be used"):
            models.visual(name)
    with pytest.raises(UnknownModelError, match=r"vision_model.onnx.*TAMIS_MODEL_DIR.*folders there: broken, cut"):
        models.visual("clip-large")


def test_its_halves_are_no_text_embedding_model(tmp_path: Path) -> None:
    joint_model(tmp_path / "clip")
    (tmp_path / "clip" / "onnx" / "model.onnx").write_bytes(b"both halves in one")
    assert "clip" not in [info.name for info in LocalModels(tmp_path, threads=1, downloads=False).available()]
