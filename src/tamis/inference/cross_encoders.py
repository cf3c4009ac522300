"""Cross-encoders by ONNX Runtime: a folder's `model.onnx` and `tokenizer.json` read a query and a text together."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tamis.engine.ports.inference import ModelInfo
from tamis.errors import ModelMissingError
from tamis.inference.directory import DirectoryModel
from tamis.inference.onnx_text import open_session, open_tokenizer, sound
from tamis.model.vector import FloatArray

_CHARACTERS_A_TOKEN = 64


class OnnxCrossEncoder:
    """Scores are probabilities: the logistic function of one logit, or the softmax share of the second of two.

    Pairs are cut at the model's window, the longer side first.  Safe for threads.
    Raises: ModelMissingError where the file is no such model.
    """

    def __init__(self, model: Path, tokenizer: Path, info: ModelInfo, threads: int = 0) -> None:
        self._session = open_session(model, threads)
        self._inputs = frozenset(node.name for node in self._session.get_inputs())
        outputs = self._session.get_outputs()
        self._output = next((node.name for node in outputs if node.name == "logits"), outputs[0].name)
        self._tokenizer = open_tokenizer(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(info.max_tokens, strategy="longest_first")
        self._most_characters = info.max_tokens * _CHARACTERS_A_TOKEN
        self.info = info

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        if not texts:
            return np.zeros(0, np.float32)
        asked = sound(query[: self._most_characters])
        pairs = [(asked, sound(text[: self._most_characters])) for text in texts]
        return _probabilities(self._logits(pairs), self.info.name)

    def _logits(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        encoded = self._tokenizer.encode_batch(list(pairs))
        length = max(1, max(len(one.ids) for one in encoded))
        feed = {
            name: np.zeros((len(encoded), length), np.int64)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        }
        for row, one in enumerate(encoded):
            feed["input_ids"][row, : len(one.ids)] = one.ids
            feed["attention_mask"][row, : len(one.ids)] = 1
            feed["token_type_ids"][row, : len(one.ids)] = one.type_ids
        given = {name: rows for name, rows in feed.items() if name in self._inputs}
        return np.asarray(self._session.run([self._output], given)[0], np.float32)


def load_cross_encoder(found: DirectoryModel, threads: int) -> OnnxCrossEncoder:
    """Raises: ModelMissingError where the files cannot be run."""
    try:
        info = found.described(dimensions=1)
        return OnnxCrossEncoder(found.model, found.tokenizer, info, threads)
    except Exception as error:
        raise ModelMissingError(
            f"the model in {found.folder} cannot be used as a cross-encoder: {error}", model=found.name
        ) from error


def logistic(logits: FloatArray) -> FloatArray:
    """0..1, without overflow."""
    exact = logits.astype(np.float64)
    powers = np.exp(-np.abs(exact))
    return np.asarray(np.where(exact >= 0, 1.0 / (1.0 + powers), powers / (1.0 + powers)), dtype=np.float32)


def _probabilities(logits: FloatArray, name: str) -> FloatArray:
    if logits.ndim == 1:
        logits = logits[:, None]
    if logits.ndim != 2 or logits.shape[1] not in (1, 2):
        raise ModelMissingError(
            f"{name!r} is no cross-encoder: it gives {list(logits.shape[1:])} numbers for a pair, not one or two",
            model=name,
        )
    # The second of two by softmax is the logistic function of their difference.
    return logistic(logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0])
