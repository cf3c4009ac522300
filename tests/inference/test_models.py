"""Which model a name means, and what is said where there is none."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tamis.errors import ModelMissingError, UnknownModelError
from tamis.inference.models import LocalModels


def copy_model(models: LocalModels, folder: Path) -> None:
    models.embedder()
    folder.mkdir(parents=True)
    for file in models.inspect()[0].files:
        assert file.path is not None
        shutil.copy(file.path, folder / file.artifact.name)


def test_names_of_the_default(models: LocalModels) -> None:
    default = models.embedder()
    assert models.embedder("all-MiniLM-L6-v2") is default
    assert models.embedder("sentence-transformers/all-MiniLM-L6-v2") is default
    assert (default.info.dimensions, default.info.max_tokens, default.info.license) == (384, 256, "Apache-2.0")
    assert default.info in models.available()


@pytest.mark.parametrize("name", ["multilingual-e5-large-instruct", "", ".", "../..", "/etc", "a\0b", "x" * 5000])
def test_an_unknown_name_is_told_what_there_is(models: LocalModels, name: str, tmp_path: Path) -> None:
    for asked in (models, LocalModels(tmp_path, tmp_path / "cache", downloads=False)):
        with pytest.raises(UnknownModelError, match="known: all-MiniLM-L6-v2") as caught:
            asked.embedder(name)
        assert caught.value.status == 404


def test_nothing_at_hand(tmp_path: Path) -> None:
    empty = LocalModels(None, tmp_path, downloads=False)
    assert empty.available() == []
    assert [file.name for file in empty.inspect()[0].missing] == ["model.onnx", "tokenizer.json"]
    with pytest.raises(ModelMissingError, match="downloads are off") as caught:
        empty.embedder()
    assert caught.value.status == 503


def test_the_users_directory_is_enough(models: LocalModels, tmp_path: Path) -> None:
    copy_model(models, tmp_path / "given" / "all-MiniLM-L6-v2")
    offline = LocalModels(tmp_path / "given", tmp_path / "cache", downloads=False)
    np.testing.assert_allclose(offline.embedder().embed_query("hi"), models.embedder().embed_query("hi"), atol=1e-6)
    assert not (tmp_path / "cache").exists()


def test_any_folder_is_a_model_by_its_name(models: LocalModels, tmp_path: Path) -> None:
    copy_model(models, tmp_path / "me" / "mine")
    (tmp_path / "me" / "mine" / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    (tmp_path / "me" / "mine" / "1_Pooling").mkdir()
    (tmp_path / "me" / "mine" / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tokenizer.json").write_text("{}")
    (tmp_path / "broken" / "model.onnx").write_bytes(b"no model")
    mine = LocalModels(tmp_path, tmp_path / "cache", downloads=False)
    assert [info.name for info in mine.available()] == ["me/mine"]
    embedder = mine.embedder("me/mine")
    assert (embedder.info.dimensions, embedder.info.max_tokens) == (384, 64)
    own, default = embedder.embed_query("the first token"), models.embedder().embed_query("the first token")
    assert float(own @ default) < 0.99
    with pytest.raises(ModelMissingError, match="cannot be used"):
        mine.embedder("broken")


def test_loaded_once_whoever_asks(tmp_path: Path, models: LocalModels) -> None:
    copy_model(models, tmp_path / "all-MiniLM-L6-v2")
    fresh = LocalModels(tmp_path, tmp_path / "cache", downloads=False)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fresh.embedder(), range(8)))
    assert all(embedder is found[0] for embedder in found)
