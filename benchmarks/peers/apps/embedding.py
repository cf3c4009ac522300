"""The same MiniLM that Tamis runs, by ONNX Runtime: `embedded(text)`, float32 [384] of unit length."""

import os

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = 1
_session = onnxruntime.InferenceSession(os.environ["PEER_MODEL"], _options, providers=["CPUExecutionProvider"])
_tokenizer = Tokenizer.from_file(os.environ["PEER_TOKENIZER"])
_tokenizer.enable_truncation(256)
_tokenizer.no_padding()
_NAMES = {one.name for one in _session.get_inputs()}


def embedded(text: str) -> np.ndarray:
    encoded = _tokenizer.encode(text)
    ids = np.asarray([encoded.ids], np.int64)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    (rows, *_) = _session.run(None, {name: value for name, value in given.items() if name in _NAMES})
    row = rows[0].mean(axis=0) if rows.ndim == 3 else rows[0]
    return (row / np.linalg.norm(row)).astype(np.float32)
