"""What lies outside of a pipeline: its only ways to data, models, time and the world."""

from dataclasses import dataclass

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.inference import Models
from tamis.engine.ports.searching import SearchPort
from tamis.engine.reach import NOWHERE, Reach


@dataclass(frozen=True, slots=True)
class Environment:
    """Handed to stages through their `Context`. A frozen replay runs in one that answers from a record."""

    searcher: SearchPort
    models: Models
    clock: Clock
    reach: Reach = NOWHERE
