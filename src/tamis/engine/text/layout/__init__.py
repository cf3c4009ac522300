"""From pieces of text with places to blocks in reading order. Geometry only: no model looks at the page."""

from tamis.engine.text.layout.blocks import LaidBlock, lay_out
from tamis.engine.text.layout.fragments import SOFT_HYPHEN, Fragment
from tamis.engine.text.layout.tables import Rule

__all__ = ["SOFT_HYPHEN", "Fragment", "LaidBlock", "Rule", "lay_out"]
