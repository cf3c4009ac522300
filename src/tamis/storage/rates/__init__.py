"""Where rates are counted."""

from tamis.storage.rates.memory import MemoryRates

__all__ = ["MemoryRates"]
