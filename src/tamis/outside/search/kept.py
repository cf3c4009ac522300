"""Answers of providers, kept for a while: the same search costs once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
_MOST_CHARACTERS = 16_000_000


class Kept(Generic[T]):
    """The oldest make room. characters: about as many as an answer has."""

    def __init__(
        self, ttl_s: float, characters: Callable[[T], int], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._ttl_s = ttl_s
        self._characters = characters
        self._now_s = now_s
        self._held: OrderedDict[Hashable, tuple[float, int, T]] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable) -> T | None:
        found = self._held.get(key)
        if found is None:
            return None
        if found[0] <= self._now_s():
            self._drop(key)
            return None
        return found[2]

    def put(self, key: Hashable, value: T) -> None:
        size = self._characters(value)
        if self._ttl_s <= 0 or size > _MOST_CHARACTERS // 8:
            return
        if key in self._held:
            self._drop(key)
        self._held[key] = (self._now_s() + self._ttl_s, size, value)
        self._size += size
        while self._size > _MOST_CHARACTERS:
            self._drop(next(iter(self._held)))

    def _drop(self, key: Hashable) -> None:
        self._size -= self._held.pop(key)[1]
