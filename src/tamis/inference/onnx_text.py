"""Text embedding by ONNX Runtime: a model file and its `tokenizer.json`, pooled to one unit row a text."""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tamis.engine.ports.inference import ModelInfo
from tamis.model.vector import FloatArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg
    from tokenizers import Tokenizer

# Small batches of like lengths are as fast on a CPU as large ones and hold far less memory.
_BATCH_ROWS = 8
_BATCH_TOKENS = 1024
_CHARACTERS_A_TOKEN = 64
_REMEMBERED_QUERIES = 512
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Pooling:
    """How token rows become one row: their mean, or the first one. prefixes: what the model was trained to expect."""

    mode: str = "mean"
    query_prefix: str = ""
    document_prefix: str = ""


class OnnxTextEmbedder:
    """An Embedder. Safe for threads; a text's vector does not depend on the texts embedded with it.

    Texts are cut at the model's `max_tokens`; of longer ones only the first 64 characters a token are read at all.
    """

    def __init__(
        self, model: Path, tokenizer: Path, info: ModelInfo, threads: int = 0, pooling: Pooling | None = None
    ) -> None:
        self._session = open_session(model, threads)
        self._inputs = frozenset(node.name for node in self._session.get_inputs())
        self._output = _output(self._session).name
        self._pooling = pooling or Pooling()
        self._whole = open_tokenizer(tokenizer)
        self._whole.no_truncation()
        self._whole.no_padding()
        self._cut = open_tokenizer(tokenizer)
        self._cut.no_padding()
        self._cut.enable_truncation(info.max_tokens)
        self._most_characters = info.max_tokens * _CHARACTERS_A_TOKEN
        self._queries = _Recent(_REMEMBERED_QUERIES)
        self.info = info

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, dim], unit rows. Cost: one model pass a row, in batches of like lengths."""
        prefix = self._pooling.document_prefix
        encoded = [self._token_ids(prefix + text) for text in texts]
        rows = np.zeros((len(texts), self.info.dimensions), np.float32)
        for batch in _batches([len(ids) for ids in encoded]):
            rows[batch] = self._embed([encoded[position] for position in batch])
        return rows

    def embed_query(self, text: str) -> FloatArray:
        """float32 [dim], unit length. The last few hundred different queries are remembered."""
        known = self._queries.get(text)
        if known is None:
            known = self._embed([self._token_ids(self._pooling.query_prefix + text)])[0]
            known.setflags(write=False)
            self._queries.put(text, known)
        return known

    def embed_tokens(self, texts: Sequence[str]) -> list[FloatArray]:
        """Of each text float32 [tokens, dim], unit rows. Raises: ValueError where the model gives pooled rows alone."""
        return [self._tokens_of(self._pooling.document_prefix + text) for text in texts]

    def embed_query_tokens(self, text: str) -> FloatArray:
        """As `embed_tokens`, of one query."""
        return self._tokens_of(self._pooling.query_prefix + text)

    def _tokens_of(self, text: str) -> FloatArray:
        encoded = self._cut.encode(sound(text[: self._most_characters]))
        hidden, _ = self._hidden([list(encoded.ids)])
        if hidden.ndim != 3:
            raise ValueError(f"{self.info.name} gives one row for a text, and none for its tokens")
        own = [place for place, special in enumerate(encoded.special_tokens_mask) if not special]
        return unit_rows(hidden[0, own] if own else hidden[0])

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Character span of each of the model's tokens, the whole text through, special tokens left out."""
        return list(self._whole.encode(sound(text), add_special_tokens=False).offsets)

    def count_tokens(self, text: str) -> int:
        """Tokens that the model reads of this text, special ones included."""
        return len(self._token_ids(text))

    def _token_ids(self, text: str) -> list[int]:
        return list(self._cut.encode(sound(text[: self._most_characters])).ids)

    def _embed(self, encoded: Sequence[list[int]]) -> FloatArray:
        hidden, mask = self._hidden(encoded)
        return unit_rows(self._pool(hidden, mask))

    def _hidden(self, encoded: Sequence[list[int]]) -> tuple[FloatArray, NDArray[np.int64]]:
        """What the model gives, and which of its tokens are no padding."""
        ids = np.zeros((len(encoded), max(1, max(map(len, encoded)))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: value for name, value in every.items() if name in self._inputs}
        return np.asarray(self._session.run([self._output], feed)[0], np.float32), mask

    def _pool(self, hidden: FloatArray, mask: NDArray[np.int64]) -> FloatArray:
        if hidden.ndim == 2:
            return hidden
        if self._pooling.mode == "cls":
            return hidden[:, 0]
        weights = mask[..., None].astype(np.float32)
        pooled: FloatArray = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
        return pooled


def output_dimensions(model: Path) -> int:
    """Length of the rows that this ONNX file gives. Raises: ValueError where the file does not fix it."""
    size = _output(open_session(model, 1)).shape[-1]
    if not isinstance(size, int):
        raise ValueError(f"{model.name} does not say how long its rows are")
    return size


def open_tokenizer(path: Path) -> "Tokenizer":
    """This and `open_session` import what they open with: a server is ready before its model is."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def open_session(model: Path, threads: int) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads win nothing here (measured) and take the cores from HTTP and the index.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _output(session: "InferenceSession") -> "NodeArg":
    """The output to pool: some exports carry a pooled one beside it, in any order."""
    outputs = session.get_outputs()
    return next((node for node in outputs if node.name in ("last_hidden_state", "token_embeddings")), outputs[0])


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Positions in batches, short texts first, each within the limits on rows and padded tokens."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda position: (lengths[position], position)):
        rows = len(batches[-1]) + 1 if batches else 0
        if not batches or rows > _BATCH_ROWS or rows * lengths[position] > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(position)
    return batches


def unit_rows(rows: FloatArray) -> FloatArray:
    """The same directions at length 1; a row of zeros stays one."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: FloatArray = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def sound(text: str) -> str:
    """JSON can carry half a surrogate pair, which no tokenizer takes; a replacement keeps every offset."""
    return _SURROGATES.sub("\ufffd", text)


class _Recent:
    """The last `size` entries that were asked for."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, FloatArray] = OrderedDict()

    def get(self, key: str) -> FloatArray | None:
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: str, value: FloatArray) -> None:
        with self._lock:
            self._entries[key] = value
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
