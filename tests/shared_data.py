"""Real data that nobody here wrote. It lies beside the project, not in it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "shared"


def shared(path: str) -> Path:
    """The file or folder below `shared/`; skips the test where it is absent, fails it where it is required."""
    found = ROOT / path
    if found.exists():
        return found
    reason = f"{path} of the shared data is not here: this test needs it"
    if os.environ.get("TAMIS_REQUIRE_SHARED"):
        pytest.fail(reason)
    pytest.skip(reason)


def json_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def qrels(path: Path) -> dict[str, dict[str, int]]:
    """query id -> document id -> relevance, from a tab separated file with or without a header."""
    judged: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.split("\t")
        if len(parts) >= 3 and parts[-1].strip().lstrip("-").isdigit():
            judged.setdefault(parts[0], {})[parts[-2]] = int(parts[-1])
    return judged
