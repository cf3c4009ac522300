"""Pictures drawn on the spot."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tamis.engine.ports.inference import Pixels


def drawn(width: int = 120, height: int = 80, seed: int = 0) -> Pixels:
    """Some coloured boxes on white."""
    random, pixels = np.random.default_rng(seed), np.full((height, width, 3), 255, np.uint8)
    for _ in range(12):
        left, top = int(random.integers(0, width - 8)), int(random.integers(0, height - 8))
        right, bottom = left + int(random.integers(4, width // 3)), top + int(random.integers(4, height // 3))
        pixels[top:bottom, left:right] = random.integers(0, 256, 3)
    return pixels


def encoded(pixels: NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(pixels).save(written, form, **options)
    return written.getvalue()
