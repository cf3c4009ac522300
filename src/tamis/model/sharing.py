"""A share of many things, the same ones each time: by a hash of their names."""

from hashlib import sha256

_BITS = 64


def is_within(name: str, share: float) -> bool:
    """Whether this one is of the share, from 0 to 1. Whatever is within a share is within every greater one."""
    place = int.from_bytes(sha256(name.encode()).digest()[: _BITS // 8], "big")
    return place < share * float(2**_BITS)
