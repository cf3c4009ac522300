"""Embeddings kept between test runs by the content that they were made of; the model stays the real one."""

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tamis.engine.ports.inference import (
    Embedder,
    Models,
)
from tamis.model.vector import FloatArray
from tests.passing_models import PassingModels

FOLDER = Path(__file__).parents[1] / ".cache" / "embeddings"


class CachedEmbedder:
    """An Embedder that asks the model only for texts that it has not seen. Keys: model version and text."""

    def __init__(self, inner: Embedder, folder: Path = FOLDER) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.info = inner.info
        self._inner = inner
        self._lock = threading.Lock()
        self._store = sqlite3.connect(folder / "cache.sqlite3", check_same_thread=False, timeout=60)
        self._store.execute("CREATE TABLE IF NOT EXISTS embedding (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        keys = [self._key(text) for text in texts]
        with self._lock:
            known = {key: self._look_up(key) for key in keys}
        missing = [text for key, text in zip(keys, texts, strict=True) if known[key] is None]
        if missing:
            fresh = self._inner.embed_documents(missing)
            rows = [(self._key(text), row.tobytes()) for text, row in zip(missing, fresh, strict=True)]
            with self._lock, self._store:
                self._store.executemany("INSERT OR IGNORE INTO embedding VALUES (?, ?)", rows)
            known.update((key, np.frombuffer(vector, np.float32)) for key, vector in rows)
        return np.stack([row for key in keys if (row := known[key]) is not None])

    def embed_query(self, text: str) -> FloatArray:
        return self._inner.embed_query(text)

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        return self._inner.spans(text)

    def close(self) -> None:
        self._store.close()

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.info.name} {self.info.version}\0{text}".encode()).digest()

    def _look_up(self, key: bytes) -> FloatArray | None:
        found = self._store.execute("SELECT vector FROM embedding WHERE key = ?", (key,)).fetchone()
        return None if found is None else np.frombuffer(found[0], np.float32)


class CachedModels(PassingModels):
    """`Models` whose default embedder is cached."""

    def __init__(self, inner: Models, folder: Path = FOLDER) -> None:
        super().__init__(inner)
        self._embedder = CachedEmbedder(inner.embedder(), folder)

    def embedder(self, name: str | None = None) -> Embedder:
        asked = self._inner.embedder(name)
        return self._embedder if asked.info == self._embedder.info else asked

    def close(self) -> None:
        self._embedder.close()
