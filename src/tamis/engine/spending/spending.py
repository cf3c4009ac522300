"""What a stage says of its own cost before it runs: what it will use, what it gives back, what a budget may lower."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from pydantic import BaseModel

from tamis.model.json import JSON

EVERY = "*"
"""In a knob's path: each item of a list."""


class KnobKind(IntEnum):
    """What is lowered first where a budget does not bear the whole pipeline."""

    RERANK_DEPTH = 0
    FAN_OUT = 1
    TOP_K = 2


@dataclass(frozen=True, slots=True)
class Knob:
    """A whole-number parameter that a budget may lower to `floor`. path: as `("searches", EVERY, "top_k")`."""

    kind: KnobKind
    path: tuple[str, ...]
    floor: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What is paid for. documents: that the stage looks at; None is its input.  calls: to models.  tokens: of them."""

    documents: float | None = None
    calls: float = 0
    tokens: float = 0


@dataclass(frozen=True, slots=True)
class Given:
    """What a stage has to work on. count: hits that come in.  is_first: it begins the pipeline."""

    count: float
    is_first: bool = False


def _calls_nothing(_parameters: Any, _given: Given) -> Usage:
    return Usage()


def _gives_its_input(_parameters: Any, given: Given) -> float:
    return given.count


@dataclass(frozen=True, slots=True)
class Spending:
    """A stage class's `spends`. Both functions take its validated parameters.

    usage: what it uses at most, for a budget holds by it; what it asks its allowance for may be left out.
    yields: how many hits it gives back at most, as far as its parameters tell.
    """

    usage: Callable[[Any, Given], Usage] = _calls_nothing
    yields: Callable[[Any, Given], float] = _gives_its_input
    knobs: tuple[Knob, ...] = field(default=())


PLAIN = Spending()
"""Of a stage that says nothing: it looks at each hit that comes in and gives back no more."""


def spending_of(stage: Any) -> Spending:
    spends = getattr(stage, "spends", PLAIN)
    return spends if isinstance(spends, Spending) else PLAIN


@dataclass(frozen=True, slots=True)
class Cap:
    """A knob as a budget has set it: every value at its path is at most this."""

    path: tuple[str, ...]
    value: int


def highest(parameters: BaseModel | None, knob: Knob) -> int | None:
    """The greatest value at the knob's path; None where there is none."""
    return max((value for _, value in _values(parameters, knob.path)), default=None)


def lowered(parameters: BaseModel, caps: Sequence[Cap]) -> BaseModel:
    """The same parameters, nothing above its cap."""
    for cap in caps:
        parameters = _capped(parameters, cap.path, cap.value)
    return parameters


def changes(parameters: BaseModel, caps: Sequence[Cap]) -> dict[str, JSON]:
    """`{parameter: [as written, as run]}` of what the caps lower; places inside lists are numbered."""
    found: dict[str, JSON] = {}
    for cap in caps:
        for place, value in _values(parameters, cap.path):
            if value > cap.value:
                found[".".join(place)] = [value, cap.value]
    return found


def written(raw: Mapping[str, Any], parameters: BaseModel, caps: Sequence[Cap]) -> dict[str, Any]:
    """Parameters as JSON with what the caps lowered; everything else as it was sent."""
    shown = dict(raw)
    for name in {cap.path[0] for cap in caps}:
        for alias in _aliases(type(parameters), name):
            shown.pop(alias, None)
        shown[name] = parameters.model_dump(mode="json", include={name}, exclude_unset=False)[name]
    return shown


def _aliases(model: type[BaseModel], name: str) -> list[str]:
    alias = model.model_fields[name].validation_alias
    choices = getattr(alias, "choices", [alias])
    return [choice for choice in choices if isinstance(choice, str)]


def _values(value: Any, path: Sequence[str], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if not path:
        if isinstance(value, int) and not isinstance(value, bool):
            yield place, value
    elif path[0] == EVERY:
        for position, item in enumerate(value or ()):
            yield from _values(item, path[1:], (*place, str(position)))
    elif value is not None:
        yield from _values(getattr(value, path[0], None), path[1:], (*place, path[0]))


def _capped(value: Any, path: Sequence[str], most: int) -> Any:
    if not path:
        return min(value, most) if isinstance(value, int) else value
    if path[0] == EVERY:
        return [_capped(item, path[1:], most) for item in value or ()]
    if value is None or getattr(value, path[0], None) is None:
        return value
    return value.model_copy(update={path[0]: _capped(getattr(value, path[0]), path[1:], most)})
