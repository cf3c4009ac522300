"""What lies outside of a pipeline: its only ways to data, models and time."""

from dataclasses import dataclass

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.inference import Models
from tamis.engine.ports.searching import SearchPort


@dataclass(frozen=True, slots=True)
class Environment:
    """Handed to stages through their `Context`. A frozen replay runs in one that answers from a record."""

    searcher: SearchPort
    models: Models
    clock: Clock
