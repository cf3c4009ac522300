"""How alike two texts are, by the pieces that they share."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Shingles:
    """The distinct runs of three characters of a text whose white space is evened out."""

    pieces: frozenset[str]

    def similarity(self, other: "Shingles") -> float:
        """Jaccard index, 0..1. Cost: O(shorter).  Source: Broder 1997."""
        shared = len(self.pieces & other.pieces)
        return shared / (len(self.pieces) + len(other.pieces) - shared)


def shingles(text: str) -> Shingles:
    """text: not blank. One shorter than a shingle is a single piece."""
    even = " ".join(text.split())
    return Shingles(frozenset(even[n : n + _LENGTH] for n in range(max(1, len(even) - _LENGTH + 1))))


class Alikes:
    """Texts taken in one by one, each asked whether it is like an earlier one.

    texts: all that may come. Two texts so alike share one of their rarest few pieces: only such pairs are compared, as
    sets of bits. Cost: a second of CPU for 2,000 different texts of 250 pieces.  Source: Bayardo, Ma & Srikant 2007.
    """

    def __init__(self, texts: Iterable[Shingles], threshold: float) -> None:
        self._threshold = threshold
        frequency = Counter(piece for text in texts for piece in text.pieces)
        self._rank = {
            piece: rank for rank, piece in enumerate(sorted(frequency, key=lambda one: (frequency[one], one)))
        }
        self._by_rank: dict[int, list[int]] = defaultdict(list)
        self._seen: list[tuple[int, int]] = []

    def add_unless_alike(self, text: Shingles) -> bool:
        """Whether it was taken in: nothing so far has at least the threshold's similarity."""
        ranks = sorted(self._rank[piece] for piece in text.pieces)
        telling = ranks[: self._telling(len(ranks))]
        bits, size = _bits(ranks), len(ranks)
        for number in {one for rank in telling for one in self._by_rank.get(rank, ())}:
            if _are_alike(bits, size, *self._seen[number], self._threshold):
                return False
        if self._threshold <= 0 and self._seen:
            return False
        for rank in telling:
            self._by_rank[rank].append(len(self._seen))
        self._seen.append((bits, size))
        return True

    def _telling(self, size: int) -> int:
        """Of two alike texts each shares so many pieces that one is among as many of its rarest."""
        return size - math.ceil(self._threshold * size - 1e-9) + 1


def _are_alike(bits: int, size: int, others: int, others_size: int, threshold: float) -> bool:
    """Texts of sizes too different are not even compared."""
    if min(size, others_size) / max(size, others_size) < threshold:
        return False
    shared = (bits & others).bit_count()
    return shared / (size + others_size - shared) >= threshold


def _bits(ranks: list[int]) -> int:
    """ranks: ascending, not empty."""
    held = bytearray(ranks[-1] // 8 + 1)
    for rank in ranks:
        held[rank // 8] |= 1 << rank % 8
    return int.from_bytes(held, "little")
