"""Whether the record agrees with itself, and what of it can be made again."""

from tamis.storage.metadata.upkeep.record import SqlUpkeep

__all__ = ["SqlUpkeep"]
