"""Between the model's frozen dataclasses and the JSON text of a `body` column.

Unknown keys are ignored and absent ones take their default, so a body written by another version still opens.
"""

from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import msgspec

from tamis.errors import StorageError
from tamis.model.json_hints import open_json

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = msgspec.json.Encoder()


class Codec(Generic[T]):
    """Encodes and decodes one dataclass, and those inside it."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        with open_json(kind):
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
