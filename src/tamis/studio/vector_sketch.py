"""A vector as a small drawing: each number a stroke from the middle, scaled to the largest."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tamis.model.vector import Dense, FloatArray, MultiDense, Sparse, Vector

WIDTH, HEIGHT = 256, 36
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Sketch:
    """path: strokes, in a box of WIDTH x HEIGHT, from the line at `ground`.  size: such as 384, or 12 × 384.

    length: its Euclidean norm; of several rows, their mean.  shown: its first numbers.
    """

    path: str
    ground: float
    size: str
    length: float
    shown: str


def sketch(vector: Vector) -> Sketch:
    if isinstance(vector, Dense):
        values = vector.values
        return Sketch(_strokes(_binned(values)), _ground(values), f"{values.size}", _length(values), _first(values))
    if isinstance(vector, MultiDense):
        rows = vector.values
        size = f"{rows.shape[0]} × {rows.shape[1]}"
        mean = float(np.mean(np.linalg.norm(rows, axis=1))) if rows.size else 0.0
        return Sketch(_rows(rows[:_ROWS]), HEIGHT - 0.5, size, mean, _first(rows[0] if rows.size else rows.ravel()))
    return _sparse(vector)


def _sparse(vector: Sparse) -> Sketch:
    """Where its entries lie is of no meaning; how large they are is, so they stand by size."""
    ordered = np.sort(vector.values)[::-1]
    return Sketch(
        _strokes(_binned(ordered)), _ground(ordered), f"{vector.values.size}", _length(vector.values), _first(ordered)
    )


def _binned(values: FloatArray) -> FloatArray:
    """At most WIDTH strokes; of several numbers that share one, the largest by amount."""
    if values.size <= WIDTH:
        return values
    edges = np.linspace(0, values.size, WIDTH + 1).astype(int)
    parts = [values[start:end] for start, end in pairwise(edges)]
    return np.array([part[np.argmax(np.abs(part))] for part in parts], dtype=np.float32)


def _strokes(values: FloatArray) -> str:
    largest = float(np.max(np.abs(values))) if values.size else 0.0
    if not largest:
        return ""
    step, ground = WIDTH / values.size, _ground(values)
    return "".join(
        f"M{(place + 0.5) * step:.4g} {ground:g}v{-value / largest * (ground - 1):.3g}"
        for place, value in enumerate(values.tolist())
        if abs(value) > largest / 100
    )


def _ground(values: FloatArray) -> float:
    """In the middle; where none is below zero, they stand on the bottom."""
    return HEIGHT / 2 if values.size and float(np.min(values)) < 0 else HEIGHT - 0.5


def _rows(rows: FloatArray) -> str:
    """One line a row, each number as long as its amount."""
    largest = float(np.max(np.abs(rows))) if rows.size else 0.0
    if not largest:
        return ""
    height = HEIGHT / rows.shape[0]
    strokes = []
    for number, row in enumerate(rows):
        thin = row[:: max(1, row.size // 64)]
        step = WIDTH / thin.size
        strokes += [
            f"M{(place + 0.5) * step:.4g} {(number + 1) * height:.4g}v{-abs(value) / largest * height:.3g}"
            for place, value in enumerate(thin.tolist())
        ]
    return "".join(strokes)


def _length(values: FloatArray) -> float:
    return float(np.linalg.norm(values))


def _first(values: FloatArray) -> str:
    return ", ".join(f"{value:.3f}" for value in values[:6].tolist()) + (", …" if values.size > 6 else "")
