"""What a stage's failure is to whoever sent the pipeline."""

import copy
from typing import Any

from tamis.errors import (
    IndexRebuildingError,
    IndexUnavailableError,
    ModelMissingError,
    StageError,
    StageUnavailableError,
    StorageUnavailableError,
    TamisError,
)

_PASSING = (IndexUnavailableError, ModelMissingError, StorageUnavailableError)


def failure_of(cause: Exception, stage_name: str, index: int, input_count: int) -> TamisError:
    """One error that says where. What the caller can put right keeps its class and status; all else is a StageError."""
    where: dict[str, Any] = {"stage_name": stage_name, "stage_index": index, "input_count": input_count}
    if isinstance(cause, TamisError) and cause.status < 500:
        error = copy.copy(cause)
        error.details = {**cause.details, **where}
    else:
        kind = StageUnavailableError if isinstance(cause, _PASSING) else StageError
        reason = cause.message if isinstance(cause, TamisError) else f"{type(cause).__name__}: {cause}"
        if isinstance(cause, IndexRebuildingError):
            where["retry_after"] = cause.details.get("retry_after", 1)
        error = kind(f"stage {stage_name!r} failed: {reason}", **where, cause=type(cause).__name__)
    error.__cause__ = cause
    return error
