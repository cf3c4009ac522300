"""Something that does not agree with something else in the data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: a word for programs.  where: what is concerned.  problem: for people.

    is_derived: what is wrong follows from something that is right, so that it can be made again.
    """

    kind: str
    where: str
    problem: str
    is_derived: bool = False
