"""The real MiniLM model against the plainest use of the same two files."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from tamis.inference.models import LocalModels
from tamis.inference.onnx_text import OnnxTextEmbedder
from tamis.model.vector import FloatArray

TEXTS = [
    "A sieve separates what is wanted from what is not.",
    "",
    "Cats purr.",
    "Ọmọ náà ń ṣeré ní ìta.",
    "今日は雨です。",
    "long " * 600,
    *(f"Sentence number {number} about topic {number % 7}." * (1 + number % 5) for number in range(30)),
]


@pytest.fixture
def embedder(models: LocalModels) -> OnnxTextEmbedder:
    found = models.embedder()
    assert isinstance(found, OnnxTextEmbedder)
    return found


def directly(models: LocalModels, text: str) -> FloatArray:
    status = models.inspect()[0]
    files = {file.artifact.name: file.path for file in status.files}
    tokenizer = Tokenizer.from_file(str(files["tokenizer.json"]))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    ids = np.array([tokenizer.encode(text).ids])
    session = onnxruntime.InferenceSession(str(files["model.onnx"]), providers=["CPUExecutionProvider"])
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    mean: FloatArray = session.run(None, feed)[0][0].mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_vectors_equal_the_direct_computation(models: LocalModels, embedder: OnnxTextEmbedder) -> None:
    rows = embedder.embed_documents(TEXTS)
    assert rows.shape == (len(TEXTS), 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    for position in (0, 1, 3, 4, 5, 20):
        np.testing.assert_allclose(rows[position], directly(models, TEXTS[position]), atol=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: OnnxTextEmbedder) -> None:
    together = embedder.embed_documents(TEXTS)
    for position in (0, 2, 5):
        np.testing.assert_allclose(together[position], embedder.embed_documents([TEXTS[position]])[0], atol=1e-5)
        np.testing.assert_allclose(together[position], embedder.embed_query(TEXTS[position]), atol=1e-5)
    assert embedder.embed_documents([]).shape == (0, 384)


def test_meaning_is_near_meaning(embedder: OnnxTextEmbedder) -> None:
    query = embedder.embed_query("How do I bake bread?")
    rows = embedder.embed_documents(
        ["Knead the dough and let it rise.", "The stock market fell.", "Jupiter has moons."]
    )
    assert int(np.argmax(rows @ query)) == 0


def test_threads_agree(embedder: OnnxTextEmbedder) -> None:
    expected = embedder.embed_documents(TEXTS[:8])
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: embedder.embed_documents(TEXTS[:8]), range(8)):
            np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_a_remembered_query_cannot_be_changed(embedder: OnnxTextEmbedder) -> None:
    row = embedder.embed_query("remember me")
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 1.0


def test_spans_are_characters_of_the_whole_text(embedder: OnnxTextEmbedder) -> None:
    text = "naïve 今日 unbelievable " * 100
    spans = embedder.spans(text)
    assert len(spans) > embedder.info.max_tokens
    words = {text[start:end] for start, end in spans}
    assert {"naïve", "今", "日"} <= words
    assert "".join(text[start:end] for start, end in spans) == text.replace(" ", "")


def test_half_a_surrogate_pair_is_no_crash(embedder: OnnxTextEmbedder) -> None:
    assert len(embedder.spans("a \ud800 b")) == len(embedder.spans("a \ufffd b"))
    assert np.isfinite(embedder.embed_query("a \ud800 b")).all()
