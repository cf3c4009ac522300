"""What a stage of your own is written with. These names stay; docs/own-stages.md has a worked example."""

from tamis.engine.needs import Need
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Spending
from tamis.engine.stage import Context, Effect, Outcome, Stage, StageKind
from tamis.errors import TamisError, ValidationError
from tamis.model.hits import Hit, Hits

__all__ = [
    "Context",
    "Effect",
    "Hit",
    "Hits",
    "Need",
    "Outcome",
    "Spending",
    "Stage",
    "StageKind",
    "StageParameters",
    "TamisError",
    "ValidationError",
]
