"""Who works at what now."""

from tamis.storage.locks.memory import MemoryLocks

__all__ = ["MemoryLocks"]
