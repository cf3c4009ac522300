"""What stages may reach beyond data and models, by the settings: one line a port."""

from tamis.engine.reach import Reach
from tamis.settings import Settings


def reach_of(settings: Settings) -> Reach:
    return Reach()
