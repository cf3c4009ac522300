"""Extractor calls: what goes wrong with one source is found and told apart from its neighbours."""

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pydantic import BaseModel

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.engine.ports.inference import Models
from tamis.errors import DecodeError, ModelMissingError, TamisError, ValidationError
from tamis.services.data.batches import TRANSIENT

_LOG = logging.getLogger(__name__)
NICENESS = 10

_ATTEMPTS = 3
_PAUSE_S = 0.2

Result: TypeAlias = Sequence[Segment] | ExtractionFailure


@dataclass(frozen=True, slots=True)
class Source:
    """What an extractor is to be called with. Parameters that are not dynamic are one shared object."""

    item: SourceItem
    parameters: BaseModel


class Caller(Protocol):
    """Where extractors are called: on threads of this server, or by actors of a Ray cluster.

    at_once: so many calls.  trouble: why none can be made at the moment; None where they can.
    left_behind: calls that go on after `leave`, for nobody, which the interpreter would wait for at its end.
    """

    @property
    def at_once(self) -> int: ...
    @property
    def trouble(self) -> str | None: ...
    @property
    def left_behind(self) -> int: ...

    async def call(self, extractor: Extractor, sources: Sequence[Source], models: Models) -> Mapping[str, Result]:
        """Results by source id: a failure is one of them. Raises: ExtractionUnavailableError."""
        ...

    def leave(self, patience_s: float) -> None:
        """Take no more calls, drop those that wait, give the others so long. Blocks."""
        ...


def call(
    extractor: Extractor, sources: Sequence[Source], models: Models, leaving: threading.Event
) -> Mapping[str, Result]:
    """Results by source id. Blocks. What may be cured is tried again a little later, unless `leaving` is set."""
    results: dict[str, Result] = {}
    waiting = list(sources)
    for attempt in range(1, _ATTEMPTS + 1):
        for parameters, items in _groups(waiting):
            found = extract(extractor, items, parameters, models)
            results.update(zip((item.source_id for item in items), found, strict=True))
        waiting = [one for one in waiting if _may_be_cured(results[one.item.source_id])]
        if not waiting or attempt == _ATTEMPTS or leaving.wait(_PAUSE_S * 2**attempt):
            break
    return results


def _may_be_cured(result: Result) -> bool:
    return isinstance(result, ExtractionFailure) and result.error_type in TRANSIENT


def _groups(sources: Sequence[Source]) -> Iterator[tuple[BaseModel, list[SourceItem]]]:
    """One group for each set of parameters."""
    groups: dict[str | int, tuple[BaseModel, list[SourceItem]]] = {}
    for one in sources:
        key = id(one.parameters) if sources[0].parameters is one.parameters else one.parameters.model_dump_json()
        groups.setdefault(key, (one.parameters, []))[1].append(one.item)
    yield from groups.values()


def step_back() -> None:
    """Give searches the right of way: this thread's niceness goes up. Run once at the start of a worker thread."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except (AttributeError, OSError):
        _LOG.info("worker threads run at normal priority: this system has no priority of threads")


def extract(extractor: Extractor, items: Sequence[SourceItem], parameters: BaseModel, models: Models) -> list[Result]:
    """One result for each item, in order; never raises for what a source or an extractor does.

    Where a call fails as a whole, it is cut in halves until the source that breaks it stands alone.
    """
    if not items:
        return []
    try:
        results = list(extractor.extract(items, parameters, models))
        if len(results) != len(items):
            raise RuntimeError(f"{extractor.name} answered {len(results)} results for {len(items)} sources")
        return results
    except Exception as error:
        failure = ExtractionFailure(_message(error), category(error))
        if len(items) == 1 or failure.error_type in TRANSIENT:
            _LOG.warning("%s@%s failed on %d sources", extractor.name, extractor.version, len(items), exc_info=error)
            return [failure] * len(items)
    middle = len(items) // 2
    return [
        *extract(extractor, items[:middle], parameters, models),
        *extract(extractor, items[middle:], parameters, models),
    ]


def category(error: BaseException) -> str:
    """The contract's ErrorCategory of an exception."""
    if isinstance(error, DecodeError):
        return error.error_type
    if isinstance(error, ModelMissingError | ImportError):
        return "dependency"
    if isinstance(error, MemoryError):
        return "resource"
    if isinstance(error, ConnectionError | TimeoutError):
        return "network"
    if isinstance(error, ValidationError):
        return "validation"
    return "runtime"


def _message(error: Exception) -> str:
    return error.message if isinstance(error, TamisError) else f"{type(error).__name__}: {error}"
