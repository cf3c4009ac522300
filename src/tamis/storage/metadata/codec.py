"""Between the model's frozen dataclasses and the JSON text of a `body` column.

Unknown keys are ignored and absent ones take their default, so a body written by another version still opens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec

from tamis.errors import StorageError
from tamis.model.json import JSON

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = msgspec.json.Encoder()


class Codec(Generic[T]):
    """Encodes and decodes one dataclass, and those inside it."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        with _open_json(kind):
            self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)

    def encode(self, value: T) -> str:
        """Raises: StorageError where the value holds what JSON cannot."""
        try:
            return _encoder.encode(value).decode()
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise StorageError(f"a {self.kind.__name__} cannot be written as JSON: {error}") from error

    def decode(self, body: str) -> T:
        """Raises: StorageError where the body is none of this kind's."""
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise StorageError(f"the stored {self.kind.__name__} cannot be read: {error}") from error


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


@contextmanager
def _open_json(kind: type[Any]) -> Iterator[None]:
    """Let msgspec see `Any` where the model says JSON, while it reads the annotations.

    It cannot follow an alias that names itself, reads annotations once, and decodes `Any` fastest.
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
