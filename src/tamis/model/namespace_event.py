"""What happened in a namespace, as whoever follows it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tamis.model.batch import TaskStatus
from tamis.model.json import JSON
from tamis.model.webhook import EventType

TASK = "task."
"""Before the status that a task came to."""
FOLLOWED = (*(one.value for one in EventType), *(f"{TASK}{one.value.lower()}" for one in TaskStatus))
"""The types of events that a follower may hear of."""
GROUPS = tuple(dict.fromkeys(one.partition(".")[0] for one in FOLLOWED))
"""What types begin with."""
MOST_LISTED = 100


class Position(NamedTuple):
    """Where an event stands in its namespace: later ones come after. Meaningless beyond the database that gave it."""

    place: int = 0
    sequence: int = 0

    def __str__(self) -> str:
        return f"{self.place}-{self.sequence}"


def position_of(text: str) -> Position:
    """What `str` made. Raises: ValueError."""
    place, mark, sequence = text.partition("-")
    if not mark or not (place.isascii() and place.isdigit() and sequence.isascii() and sequence.isdigit()):
        raise ValueError(f"{text!r} is no id of an event")
    found = Position(int(place), int(sequence))
    if max(found) >= 1 << 63:
        raise ValueError(f"{text!r} is no id of an event")
    return found


@dataclass(frozen=True, slots=True)
class NamespaceEvent:
    """A change, told in the transaction that made it. event_id: the same however often it is told.

    resource_ids: what it is about, 100 at most; `count` says how many there were.  data: of the one, where it is one.
    """

    position: Position
    event_id: str
    event_type: str
    at: datetime
    resource_ids: tuple[str, ...]
    count: int
    data: Mapping[str, JSON]
