"""Cross-encoders and token vectors from a folder, checked against the same sums by hand; names in every spelling."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from tamis.errors import ModelMissingError, UnknownModelError
from tamis.inference.models import LocalModels
from tamis.inference.spelling import meant

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "bread", "knife", "novel"]
# What each word adds to the logit: first for the query's side, then for the document's.
WEIGHTS = np.array([[0, 0], [0.1, 0], [0.2, 0.3], [-1, -1], [0.5, 2], [0.25, 1], [0, -3]], np.float32)


def tokenizer(path: Path) -> None:
    made = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    made.save(str(path))


def tensor(name: str, value: Any) -> Any:
    return numpy_helper.from_array(np.asarray(value), name)


def write(path: Path, nodes: list[Any], constants: list[Any], output: Any) -> None:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def cross_encoder(folder: Path, labels: int = 1) -> None:
    """The logit of a pair: the weights of its words by their side, added up; with two labels `[0, logit]`."""
    folder.mkdir(parents=True)
    tokenizer(folder / "tokenizer.json")
    table = WEIGHTS.reshape(-1)
    nodes = [
        helper.make_node("Mul", ["input_ids", "two"], ["doubled"]),
        helper.make_node("Add", ["doubled", "token_type_ids"], ["place"]),
        helper.make_node("Gather", ["table", "place"], ["weights"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["weights", "mask"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "axis"], ["sum"], keepdims=1),
        helper.make_node("MatMul", ["sum", "spread"], ["logits"]),
    ]
    spread = np.eye(1, labels, labels - 1, dtype=np.float32)
    constants = [
        tensor("two", np.int64(2)), tensor("table", table), tensor("axis", np.array([1], np.int64)),
        tensor("spread", spread),
    ]  # fmt: skip
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", labels])
    write(folder / "model.onnx", nodes, constants, output)


def by_hand(query: str, text: str) -> float:
    ids = [(1, 0), *((WORDS.index(word), 0) for word in query.split()), (2, 0)]
    ids += [*((WORDS.index(word), 1) for word in text.split()), (2, 1)]
    logit = sum(float(WEIGHTS[word, side]) for word, side in ids)
    return float(1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize("labels", [1, 2])
def test_scores_are_those_of_the_sums_by_hand(tmp_path: Path, labels: int) -> None:
    cross_encoder(tmp_path / "BAAI" / "bge-reranker-v2-m3", labels)
    encoder = LocalModels(tmp_path, threads=1).cross_encoder("BAAI__bge_reranker_v2_m3")
    assert encoder.info.name == "BAAI/bge-reranker-v2-m3"
    texts = ["bread", "bread knife novel", "novel novel", "knife"]
    scores = encoder.score("bread knife", texts)
    assert scores.tolist() == pytest.approx([by_hand("bread knife", text) for text in texts], abs=1e-6)
    assert encoder.score("bread", []).tolist() == []


def test_a_pair_is_cut_at_the_window_and_no_text_breaks_it(tmp_path: Path) -> None:
    cross_encoder(tmp_path / "tiny")
    encoder = LocalModels(tmp_path, threads=1).cross_encoder("tiny")
    assert encoder.info.max_tokens == 512
    scores = encoder.score("bread \ud800", ["knife " * 100_000, "", "日本 \udfff"])
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("spelling", ["BAAI/bge-reranker-v2-m3", "baai_bge_reranker_v2_m3", "bge-reranker-v2-m3"])
def test_every_spelling_means_the_same(spelling: str) -> None:
    assert meant(spelling, ["BAAI/bge-reranker-v2-m3", "BAAI/bge-reranker-base"]) == "BAAI/bge-reranker-v2-m3"
    assert meant("BAAI__bge_reranker_v2_m3", ["bge-reranker-v2-m3"]) == "bge-reranker-v2-m3"
    assert meant(spelling, ["a/bge-reranker-v2-m3", "b/bge-reranker-v2-m3"]) is None or "/" in spelling


def test_what_is_not_at_hand_says_how_to_get_it(tmp_path: Path) -> None:
    models = LocalModels(tmp_path, downloads=False)
    with pytest.raises(UnknownModelError, match=r"TAMIS_MODEL_DIR.*tamis\[rerank\]"):
        models.cross_encoder("cohere-rerank-v3")
    with pytest.raises(UnknownModelError, match="late-interaction model 'colbert-x' is not at hand"):
        models.late_interaction("colbert-x")


def test_what_is_no_cross_encoder_is_refused(tmp_path: Path) -> None:
    cross_encoder(tmp_path / "many", labels=3)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.onnx").write_bytes(b"no model")
    tokenizer(tmp_path / "broken" / "tokenizer.json")
    models = LocalModels(tmp_path, threads=1)
    with pytest.raises(ModelMissingError, match="gives \\[3\\] numbers"):
        models.cross_encoder("many").score("bread", ["knife"])
    with pytest.raises(ModelMissingError, match="cannot be used as a cross-encoder"):
        models.cross_encoder("broken")


def test_tokens_of_a_text_model_are_unit_rows(tmp_path: Path) -> None:
    folder = tmp_path / "colours"
    folder.mkdir()
    tokenizer(folder / "tokenizer.json")
    table = np.array([[0, 0], [9, 9], [9, 9], [1, 1], [3, 4], [0, 2], [1, 0]], np.float32)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "t", 2])
    write(folder / "model.onnx", nodes, [tensor("table", table)], output)
    model = LocalModels(tmp_path, threads=1).late_interaction("colours#tokens")
    assert (model.info.name, model.info.dimensions) == ("colours#tokens", 2)
    assert model.embed_query("bread novel").tolist() == [pytest.approx([0.6, 0.8]), [1, 0]]
    rows = model.embed_documents(["knife", "bread knife novel", ""])
    assert [len(one) for one in rows] == [1, 3, 2]
    assert np.linalg.norm(np.concatenate(rows), axis=1) == pytest.approx(1.0)
