"""Pictures by Pillow: bounded before anything is decoded, turned upright, laid on white, reduced to what is shown."""

from pathlib import Path
from typing import Any

from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_picture import Color, Picture, PictureOptions

# Left out: formats that run programs of others (EPS, WMF), name other files, or are of no camera, scanner or web.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM", "TGA")
_SAMPLE = 64
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I", "F")


def decode_picture(path: Path, options: PictureOptions, work: Path) -> Picture:
    """Raises: UnreadableError."""
    from PIL import Image, ImageOps

    if path.stat().st_size == 0:
        raise UnreadableError("the file is empty")
    Image.MAX_IMAGE_PIXELS = None  # bounded below, with a reason
    with _opened(path) as opened:
        width, height = int(opened.width), int(opened.height)
        frames = int(getattr(opened, "n_frames", 1))
        reduced = _bounded(opened, options)
        try:
            opened.load()
            upright = ImageOps.exif_transpose(opened)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise UnreadableError(f"the picture is damaged: {error}") from error
        turned = (upright.width > upright.height) != (opened.width > opened.height)
        has_alpha = upright.has_transparency_data
        whole = _on_white(upright)
    shown = _within(whole, options.side)
    return Picture(
        width=height if turned else width,
        height=width if turned else height,
        format=str(opened.format or "").lower(),
        frames=frames,
        has_alpha=has_alpha,
        reduced=reduced,
        shown_width=shown.width,
        shown_height=shown.height,
        pixels=shown.tobytes(),
        thumbnail=_thumbnail(whole, options),
        colors=_colors(shown, options.colors),
    )


def _opened(path: Path) -> Any:
    from PIL import Image, UnidentifiedImageError

    Image.init()  # else formats that it has not met yet are unknown by name
    try:
        return Image.open(path, formats=_FORMATS)
    except UnidentifiedImageError:
        raise UnreadableError(f"the file is no picture that can be read; those are {', '.join(_FORMATS)}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadableError(f"the picture is damaged: {error}") from error


def _bounded(opened: Any, options: PictureOptions) -> bool:
    """Whether it will be read at a fraction of its size. Raises: UnreadableError before a pixel is decoded."""
    width, height = opened.size
    pixels = width * height
    if pixels <= options.most_pixels:
        return False
    size = f"the picture has {width} x {height} pixels"
    if opened.format not in ("JPEG", "MPO"):
        raise UnreadableError(f"{size}; at most {options.most_pixels} are decoded of {opened.format}")
    if pixels > options.most_source_pixels:
        raise UnreadableError(f"{size}; at most {options.most_source_pixels} are decoded")
    opened.draft("RGB", (options.side, options.side))
    if opened.width * opened.height > options.most_pixels:
        raise UnreadableError(f"{size}, and cannot be read at a fraction of that")
    return True


def _on_white(picture: Any) -> Any:
    from PIL import Image

    if picture.mode in _SIXTEEN_BIT:
        return _eight_bit(picture)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _eight_bit(picture: Any) -> Any:
    """Of measurements without a colour: what there is between the darkest and the lightest."""
    low, high = picture.convert("F").getextrema()
    factor = 255.0 / (high - low) if high > low else 0.0
    return picture.convert("F").point(lambda value: value * factor - low * factor).convert("L").convert("RGB")


def _within(picture: Any, side: int) -> Any:
    if max(picture.size) <= side:
        return picture
    small = picture.copy()
    # Twice: a cheap step to not much more than is wanted, then a smooth one.
    small.thumbnail((side, side), reducing_gap=2.0)
    return small


def _thumbnail(picture: Any, options: PictureOptions) -> bytes:
    import io

    if not options.thumbnail_width:
        return b""
    written = io.BytesIO()
    _within(picture, options.thumbnail_width).save(written, "JPEG", quality=options.quality)
    return written.getvalue()


def _colors(picture: Any, count: int) -> tuple[Color, ...]:
    small = picture.copy()
    small.thumbnail((_SAMPLE, _SAMPLE))
    indexed = small.quantize(count)
    palette = indexed.getpalette() or []
    total = small.width * small.height
    found = sorted(indexed.getcolors() or [], reverse=True)
    return tuple(
        Color("#{:02x}{:02x}{:02x}".format(*palette[3 * index : 3 * index + 3]), round(pixels / total, 4))
        for pixels, index in found
    )
