"""A publisher's colours, font and measures as a style sheet of its own: values come in as custom properties, no more.

How the page is laid out with them, and how they are mirrored for dark screens, is the style sheet of all such pages.
"""

import re
from collections.abc import Mapping
from typing import Any

_SAFE = re.compile(r"[A-Za-z0-9#.,%()/ '\"_-]{1,300}")
_FITS = ("cover", "contain", "fill", "none", "scale-down")


def style_sheet(display: Mapping[str, Any]) -> str:
    """Custom properties of the root. A value that could end its declaration is left out, whatever let it in."""
    theme, layout = display["theme"], display["layout"]
    card = display["components"]["result_card"]
    properties = {
        "theme-bg": theme["background_color"],
        "theme-ink": theme["text_color"],
        "theme-primary": theme["primary_color"],
        "theme-secondary": theme["secondary_color"] or theme["primary_color"],
        "theme-font": theme["font_family"],
        "columns": str(layout["columns"]),
        "gap": layout["gap"] if re.search(r"[a-z%]$", layout["gap"]) else f"{layout['gap']}px",
        "ratio": card["thumbnail_aspect_ratio"].replace(":", "/"),
        "fit": card["thumbnail_fit"] if card["thumbnail_fit"] in _FITS else _FITS[0],
    }
    lines = [f"  --{name}: {value};" for name, value in properties.items() if _SAFE.fullmatch(value)]
    return ":root {\n" + "\n".join(lines) + "\n}\n"
