"""What stages ask of their environment and are answered: noted while they run, answered from the notes in a replay.

Every port that a stage may reach is wrapped once (`engine.taped`), each of its methods one `tape.ask(FORM, arguments,
go)`. A recording tape goes, and keeps references to question and answer: nothing is encoded while a stage runs. A
playback answers from the record and never goes. So a new port is replayed as soon as it is wrapped.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import orjson

from tamis.engine.raised import Raised, Unrecorded, note_of, raised_again
from tamis.model.collection import Collection
from tamis.model.document import Document

T = TypeVar("T")
_HASH_BYTES = 8
RUN = "run"
"""The port behind which templates are told of the run's time and budget."""
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class Archive:
    """What answers refer to instead of holding it.

    documents: by (id, revision).  collections: by (id, `Collection.version`).
    """

    documents: Mapping[tuple[str, int], Document] = field(default_factory=dict)
    collections: Mapping[tuple[str, int], Collection] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """One method of a port. note: its answer as plain JSON, without what the archive has.  read: the way back."""

    port: str
    method: str
    note: Callable[[T], Any]
    read: Callable[[Any, Archive], T]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """What a stage asked of its environment and was answered: all that a frozen replay needs to answer it again.

    port: `searcher`, `models`, `clock`, `run` (its time and budget, for templates) or a service.  method: of that port.
    asked: hash of the arguments, hex.  answer: plain JSON, as the port's form notes it.  raised: where it failed.
    """

    port: str
    method: str
    asked: str
    answer: Any
    raised: Raised | None = None

    def recorded(self) -> "RecordedCall":
        return self


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was made, question and answer by reference."""

    form: Form[Any]
    arguments: tuple[Any, ...]
    answer: Any = None
    error: BaseException | None = None

    def recorded(self) -> RecordedCall:
        """Without references to anything: what is written, and what a cache keeps beside a stage's outcome."""
        form, asked = self.form, hash_of(self.arguments)
        if self.error is not None:
            return RecordedCall(form.port, form.method, asked, None, note_of(self.error))
        return RecordedCall(form.port, form.method, asked, form.note(self.answer))


Taped: TypeAlias = Call | RecordedCall


class Tape(Protocol):
    """The calls of one stage in one execution, in the order in which they were answered."""

    calls: list[Taped]

    async def ask(self, form: Form[T], arguments: tuple[Any, ...], go: Callable[[], Awaitable[T]]) -> T: ...
    def ask_now(self, form: Form[T], arguments: tuple[Any, ...], go: Callable[[], T]) -> T: ...


class RecordingTape:
    """Goes, and notes what came back. Safe to ask from several threads and tasks."""

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls: list[Taped] = []

    async def ask(self, form: Form[T], arguments: tuple[Any, ...], go: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await go()
        except BaseException as error:
            self.calls.append(Call(form, arguments, error=error))
            raise
        self.calls.append(Call(form, arguments, answer))
        return answer

    def ask_now(self, form: Form[T], arguments: tuple[Any, ...], go: Callable[[], T]) -> T:
        try:
            answer = go()
        except Exception as error:
            self.calls.append(Call(form, arguments, error=error))
            raise
        self.calls.append(Call(form, arguments, answer))
        return answer


class PlaybackTape:
    """Answers each question as it was answered when it was recorded; equal questions in their order.

    unrecorded: what was asked that the record has no answer to, as `port.method`; each such question also raised.
    """

    def __init__(self, calls: Sequence[RecordedCall], archive: Archive) -> None:
        self.calls: list[Taped] = []
        self.unrecorded: list[str] = []
        self._archive = archive
        self._waiting: defaultdict[tuple[str, str, str], deque[RecordedCall]] = defaultdict(deque)
        for call in calls:
            self._waiting[(call.port, call.method, call.asked)].append(call)

    @property
    def unasked(self) -> list[str]:
        """What was asked when it was recorded and has not been asked again, as `port.method`.

        The run's own facts are no question of the stage's: one that a cache answered for was told them twice.
        """
        waiting = [call for calls in self._waiting.values() for call in calls if call.port != RUN]
        return [f"{call.port}.{call.method}" for call in waiting]

    async def ask(self, form: Form[T], arguments: tuple[Any, ...], go: Callable[[], Awaitable[T]]) -> T:
        call = self._next(form, arguments)
        if call.raised is not None and call.raised.is_unanswered:
            # It was waited for in vain: by whoever had a limit for it, and has one now.
            await asyncio.get_running_loop().create_future()
        return self._answer(form, call)

    def ask_now(self, form: Form[T], arguments: tuple[Any, ...], go: Callable[[], T]) -> T:
        return self._answer(form, self._next(form, arguments))

    def _next(self, form: Form[Any], arguments: tuple[Any, ...]) -> RecordedCall:
        waiting = self._waiting[(form.port, form.method, hash_of(arguments))]
        if not waiting:
            asked = f"{form.port}.{form.method}"
            self.unrecorded.append(asked)
            raise Unrecorded(f"the stage asked {asked} something that the record has no answer to")
        call = waiting.popleft()
        self.calls.append(call)
        return call

    def _answer(self, form: Form[T], call: RecordedCall) -> T:
        if call.raised is not None:
            raise raised_again(call.raised)
        return form.read(call.answer, self._archive)


Tapes: TypeAlias = Callable[[int], Tape | None]
"""The tape of the stage with this index; None keeps none."""


def recording(_index: int) -> Tape | None:
    return RecordingTape()


def untaped(_index: int) -> Tape | None:
    return None


def hash_of(arguments: tuple[Any, ...]) -> str:
    """The same arguments, in this process or another, hash the same: 16 hex digits."""
    try:
        text = orjson.dumps(arguments, default=_plain, option=_OPTIONS)
    except TypeError:  # a number beyond 64 bits, a key that is no text
        text = json.dumps(arguments, default=_plain, sort_keys=True).encode()
    return blake2b(text, digest_size=_HASH_BYTES).hexdigest()


@cache
def _fields_of(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads all fields of a dataclass at once."""
    names = [one.name for one in fields(kind)]
    if len(names) < 2:  # `attrgetter` of one name gives no tuple
        return lambda value: tuple(getattr(value, name) for name in names)
    return attrgetter(*names)


def _plain(value: Any) -> Any:
    """Values by type and fields; a collection by its id."""
    if isinstance(value, Collection):
        return value.collection_id
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *_fields_of(type(value))(value)]
    if isinstance(value, frozenset | set):
        return sorted(value, key=repr)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return repr(value) if isinstance(value, bytes) else str(value)
