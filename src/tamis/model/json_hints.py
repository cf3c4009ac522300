"""JSON in annotations, for decoders that cannot follow an alias which names itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from tamis.model.json import JSON


@contextmanager
def open_json(kind: type[Any]) -> Iterator[None]:
    """Let msgspec see `Any` where the model says JSON, while it reads the annotations.

    It reads annotations once, and decodes `Any` fastest.
    """
    kinds = list(_nested(kind))
    originals = [dict(each.__annotations__) for each in kinds]
    for each in kinds:
        each.__annotations__.update({name: _loosen(hint) for name, hint in each.__annotations__.items()})
    try:
        yield
    finally:
        for each, original in zip(kinds, originals, strict=True):
            each.__annotations__.update(original)


def _nested(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for each in fields(kind):
        for part in _parts(each.type):
            if isinstance(part, type) and is_dataclass(part):
                yield from _nested(part)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in () if hint == JSON else get_args(hint):
        yield from _parts(argument)


def _loosen(hint: Any) -> Any:
    if hint == JSON:
        return Any
    arguments, origin = get_args(hint), get_origin(hint)
    if not arguments or origin is None:
        return hint
    loosened = tuple(_loosen(argument) for argument in arguments)
    return Union[loosened] if origin in (Union, UnionType) else origin[loosened]
