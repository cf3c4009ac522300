"""Where answers, stages' outcomes and embeddings are kept for the next who asks."""

from tamis.storage.cache.memory import MemoryCache

__all__ = ["MemoryCache"]
