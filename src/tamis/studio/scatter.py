"""Documents of a run as dots on a map: one path for each cluster, so that a page of two thousand stays small."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.model.cluster import NOISE, Member

WIDTH, HEIGHT = 720.0, 420.0
_EDGE = 12.0
COLOURS = 10
"""Beyond, they begin anew."""


@dataclass(frozen=True, slots=True)
class Dots:
    """Of one cluster. path: dots where a round pen touches down, in a box of WIDTH x HEIGHT.

    colour: the name of its class, `c0` to `c9` by the cluster's number, `none` for those in no cluster.
    """

    number: int
    colour: str
    path: str


def colour_of(number: int) -> str:
    return "none" if number == NOISE else f"c{number % COLOURS}"


def scatter(members: Sequence[Member]) -> list[Dots]:
    """Those in none first, so that they lie below. Both directions are drawn to one scale."""
    placed = [one for one in members if len(one.at) >= 2]
    if not placed:
        return []
    across, up = [one.at[0] for one in placed], [one.at[1] for one in placed]
    spans = (max(across) - min(across), max(up) - min(up))
    room = (WIDTH - 2 * _EDGE, HEIGHT - 2 * _EDGE)
    scale = min((space / span for space, span in zip(room, spans, strict=True) if span > 0), default=1.0)
    middle = ((max(across) + min(across)) / 2, (max(up) + min(up)) / 2)
    paths: dict[int, list[str]] = {}
    for one in placed:
        x = WIDTH / 2 + (one.at[0] - middle[0]) * scale
        y = HEIGHT / 2 - (one.at[1] - middle[1]) * scale
        paths.setdefault(one.number, []).append(f"M{x:.1f} {y:.1f}h0")
    return [Dots(number, colour_of(number), "".join(paths[number])) for number in sorted(paths)]
