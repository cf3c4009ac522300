"""Embeddings of texts that were searched for before, by the model's version and the text: they cannot grow stale."""

from hashlib import blake2b

import numpy as np

from tamis.engine.ports.cache import Cache, CacheObserver, Layer, NoObserver
from tamis.model.vector import FloatArray

_DIGEST_BYTES = 20
_TTL_S = 3600.0


class EmbeddingCache:
    """ttl_s: only to let go of what nobody asks for any more."""

    def __init__(self, cache: Cache, observer: CacheObserver | None = None, ttl_s: float = _TTL_S) -> None:
        self._cache = cache
        self._observer = observer or NoObserver()
        self._ttl_s = ttl_s
        self._versions: dict[str | None, str] = {}

    async def find(self, model: str | None, text: str) -> FloatArray | None:
        """float32 [dim], as the model made it. model: None is the default one."""
        version = self._versions.get(model)
        # Before a model has spoken once in this process, its version is not known.
        data = None if version is None else await self._cache.get(Layer.INFERENCE, _key(model, version, text))
        self._observer.looked_up(Layer.INFERENCE, data is not None)
        return None if data is None else np.frombuffer(data, dtype=np.float32)

    async def keep(self, model: str | None, version: str, text: str, vector: FloatArray) -> None:
        """version: the weights' content hash, as `ModelInfo` has it."""
        self._versions[model] = version
        if vector.dtype == np.float32 and vector.ndim == 1:
            await self._cache.put(Layer.INFERENCE, _key(model, version, text), vector.tobytes(), self._ttl_s)


def _key(model: str | None, version: str, text: str) -> bytes:
    described = f"{model or ''}\0{version}\0{text}".encode("utf-8", "surrogatepass")
    return blake2b(described, digest_size=_DIGEST_BYTES).digest()
