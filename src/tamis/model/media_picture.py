"""A picture as the decoder hands it over: upright, in red, green and blue, as large as was asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How a picture is looked at.

    most_pixels: one with more is refused, unless its format lets it be read at a fraction of its size (JPEG).
    most_source_pixels: even then.  side: of the pixels handed over, at most, in both directions.
    thumbnail_width: in pixels, at most, as is its height; 0 makes none.  quality: of its JPEG, 1..100.
    """

    most_pixels: int = 50_000_000
    most_source_pixels: int = 400_000_000
    side: int = 512
    thumbnail_width: int = 0
    quality: int = 85
    colors: int = 5


@dataclass(frozen=True, slots=True)
class Color:
    """code: `#rrggbb`.  share: of the picture's pixels, 0..1."""

    code: str
    share: float


@dataclass(frozen=True, slots=True)
class Picture:
    """width, height: of the original, upright.  pixels: `shown_width` times `shown_height` times red, green, blue.

    frames: more than 1 where it moves; the first one is handed over.  has_alpha: what shows through was laid on white.
    reduced: it was read at a fraction of its size, being too large.  thumbnail: JPEG, empty where none was asked for.
    colors: those that are most of it, the largest share first.
    """

    width: int
    height: int
    format: str
    frames: int
    has_alpha: bool
    reduced: bool
    shown_width: int
    shown_height: int
    pixels: bytes
    thumbnail: bytes
    colors: tuple[Color, ...]
