"""How alike two rankings are, whatever anybody thinks of what is in them; and two judges of the same documents."""

from collections.abc import Sequence

import numpy as np


def overlap(a: Sequence[str], b: Sequence[str], k: int) -> float:
    """The share of the first k that both have, of the longer of the two; 1 where both are empty."""
    first, second = set(a[:k]), set(b[:k])
    longer = max(len(first), len(second))
    return len(first & second) / longer if longer else 1.0


def rank_biased_overlap(a: Sequence[str], b: Sequence[str], p: float = 0.9) -> float:
    """Overlap at every depth, the first counting most: a look goes on to the next document with probability p.

    Each name once in a ranking.  Returns: [0, 1], extrapolated from what there is.  Cost: O(length).
    Source: Webber, Moffat & Zobel 2010, eq. 32 (RBO_ext, rankings of uneven length).
    """
    short, long = sorted((a, b), key=len)
    if not short:
        return 1.0 if not long else 0.0
    s, length = len(short), len(long)
    seen: tuple[set[str], set[str]] = (set(), set())
    shared, at_s, total = 0, 0, 0.0
    for depth in range(1, length + 1):
        new = long[depth - 1]
        shared += new in seen[0]
        seen[1].add(new)
        if depth <= s:
            other = short[depth - 1]
            shared += other in seen[1]
            seen[0].add(other)
            at_s = shared
        total += shared / depth * p**depth
        if depth > s:
            total += at_s * (depth - s) / (s * depth) * p**depth
    last = (shared - at_s) / length + at_s / s
    return (1 - p) / p * total + last * p**length


def kappa(a: Sequence[int], b: Sequence[int], is_weighted: bool = False) -> float | None:
    """Two judges' agreement on the same documents beyond chance: 1 is complete, 0 what chance would bring.

    a, b: their grades, document by document.  is_weighted: grades that lie far apart count as more of a
    disagreement, by the square of their distance.  None where both gave one and the same grade throughout: nothing
    says whether that is chance.
    Source: Cohen 1960; 1968 for weights.
    """
    if not a or len({*a, *b}) == 1:
        return None
    grades = sorted({*a, *b})
    place = {grade: n for n, grade in enumerate(grades)}
    seen = np.zeros((len(grades), len(grades)))
    np.add.at(seen, ([place[one] for one in a], [place[one] for one in b]), 1)
    values = np.array(grades, dtype=float)
    apart = (values[:, None] - values[None, :]) ** 2 if is_weighted else 1.0 - np.eye(len(grades))
    by_chance = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / len(a)
    return float(1 - (apart * seen).sum() / (apart * by_chance).sum())
