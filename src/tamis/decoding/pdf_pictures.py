"""Pages of a PDF as pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.ports.inference import Pixels

_MOST_PIXELS = 12_000_000
_LONGEST_SIDE = 16_000
_POINTS_AN_INCH = 72
_QUALITY = 80


def page_pixels(page: Any, dpi: float) -> tuple[Pixels, float]:
    """The page on white, and its resolution: lower than asked for where the page is very large."""
    width, height = page.get_size()
    area = max(1.0, width * height) / _POINTS_AN_INCH**2
    dpi = min(dpi, (_MOST_PIXELS / area) ** 0.5, _LONGEST_SIDE * _POINTS_AN_INCH / max(1.0, width, height))
    bitmap = page.render(scale=dpi / _POINTS_AN_INCH, rev_byteorder=True)
    try:
        found = bitmap.to_numpy()
        pixels = found[..., :3] if found.ndim == 3 else np.repeat(found[..., None], 3, axis=2)
        return np.array(pixels, np.uint8), dpi
    finally:
        bitmap.close()


def write_pixels(pixels: Pixels, target: Path) -> str | None:
    """Its path; None for a page on which there is nothing."""
    if int(pixels.min()) == int(pixels.max()):
        return None
    np.save(target, pixels, allow_pickle=False)
    return str(target)


def write_jpeg(pixels: Pixels, target: Path) -> str:
    from PIL import Image

    Image.fromarray(pixels).save(target, "JPEG", quality=_QUALITY)
    return str(target)
