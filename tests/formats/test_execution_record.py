"""Execution records that earlier versions wrote stay readable, byte for byte.

Each folder `execution_record_<format>` holds a record's bytes, its inputs as stored, and what reading it gives. Never
write them anew: a format that changes gets a new folder.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tamis.executions.codec import FORMAT, decode
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution

HERE = Path(__file__).parent
SAMPLES = sorted(HERE.glob("execution_record_*"))
WITH_CALLS = HERE / "execution_calls_1"
"""Format 1 from the day on which it was given what stages asked and were answered."""


def read(folder: Path) -> dict[str, Any]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    header = ExecutionHeader("exec_1", "saved", ExecutionStatus.FAILED, at, 12.0, 1.4, 17, 2, 5, 4, ("col_1",))
    stored = StoredExecution(header, (folder / "inputs.json").read_text(), (folder / "record.bin").read_bytes())
    found: dict[str, Any] = json.loads(json.dumps(asdict(decode(stored)), default=str))
    return found


def test_every_format_has_a_sample() -> None:
    assert [folder.name for folder in SAMPLES] == [f"execution_record_{number}" for number in range(1, FORMAT + 1)]


@pytest.mark.parametrize("folder", [*SAMPLES, WITH_CALLS], ids=lambda folder: folder.name)
def test_an_old_record_reads_as_it_was_written(folder: Path) -> None:
    assert _only(read(folder), expected := json.loads((folder / "expected.json").read_text())) == expected


def _only(found: Any, like: Any) -> Any:
    """What `like` has of `found`: fields that a format was given later read as their defaults."""
    if isinstance(found, dict) and isinstance(like, dict):
        return {key: _only(value, like[key]) for key, value in found.items() if key in like}
    if isinstance(found, list) and isinstance(like, list) and len(found) == len(like):
        return [_only(one, other) for one, other in zip(found, like, strict=True)]
    return found
