"""How alike two texts are, by the pieces that they share."""

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

    def is_alike(self, other: "Shingles", threshold: float) -> bool:
        """Whether the similarity is at least `threshold`; texts of lengths too different are not even compared."""
        fewer, more = sorted((len(self.pieces), len(other.pieces)))
        return fewer / more >= threshold and self.similarity(other) >= threshold


def shingles(text: str) -> Shingles:
    """text: not blank. One shorter than a shingle is a single piece."""
    even = " ".join(text.split())
    return Shingles(frozenset(even[n : n + _LENGTH] for n in range(max(1, len(even) - _LENGTH + 1))))
