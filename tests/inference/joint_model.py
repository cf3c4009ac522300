"""A joint image-text model small enough to work out by hand: a picture is its mean colour, a word is a colour."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = ("[PAD]", "[UNK]", "red", "green", "blue")
COLOURS = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


def joint_model(folder: Path, side: int = 8, with_texts: bool = True, **preprocessing: Any) -> None:
    """The layout that transformers.js reads. preprocessing: over that of a model that wants `side` x `side` in 0..1."""
    (folder / "onnx").mkdir(parents=True)
    _vision(folder / "onnx" / "vision_model.onnx")
    if with_texts:
        _text(folder / "onnx" / "text_model.onnx")
        _tokenizer(folder / "tokenizer.json")
    wanted = {"size": {"width": side, "height": side}, "resample": 2, "do_normalize": False, "rescale_factor": 1 / 255}
    (folder / "preprocessor_config.json").write_text(json.dumps({**wanted, **preprocessing}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 6, "pad_token": "[PAD]"}))


def _vision(path: Path) -> None:
    node = helper.make_node("ReduceMean", ["pixel_values"], ["image_embeds"], axes=[2, 3], keepdims=0)
    pixels = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", 3, "h", "w"])
    _write(path, [node], [pixels], [], "image_embeds")


def _text(path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["text_embeds"], axes=[1], keepdims=0),
    ]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])
    _write(path, nodes, [ids], [numpy_helper.from_array(COLOURS, "table")], "text_embeds")


def _write(path: Path, nodes: list[Any], inputs: list[Any], constants: list[Any], output: str) -> None:
    given = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "tiny", inputs, [given], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _tokenizer(path: Path) -> None:
    made = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.save(str(path))


def plain(colour: tuple[int, int, int], height: int = 20, width: int = 30) -> Any:
    return np.full((height, width, 3), colour, np.uint8)
