"""Extractor calls on worker threads: what goes wrong with one source is found and told apart from its neighbours."""

import logging
import os
import threading
from collections.abc import Sequence
from typing import TypeAlias

from pydantic import BaseModel

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.engine.ports.inference import Models
from tamis.errors import DecodeError, ModelMissingError, TamisError, ValidationError
from tamis.services.data.batches import TRANSIENT

_LOG = logging.getLogger(__name__)
NICENESS = 10

Result: TypeAlias = Sequence[Segment] | ExtractionFailure


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
