"""Benchmarks in their short form, so that none rots: what they print is there, and no time is judged."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.servers import PostgresServer, missing
from tests.shared_data import shared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


def printed(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", "--quick", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_start() -> None:
    lines = printed("start").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith(("| 0 |", "| 300 |"))]
    assert [row[0] for row in rows] == ["0", "300"]
    assert all(float(cell) > 0 for row in rows for cell in row[2:])


def test_scale_measures(postgres: PostgresServer) -> None:
    if find_spec("pyarrow") is None:
        missing("pyarrow is not installed (pip install 'tamis[tables]')")
    told = json.loads(printed("scale_measures", "--database-url", postgres.url))
    assert told["record_parquet_bytes"] < told["record_bytes"] < told["record_wal_bytes"] + told["record_bytes"]
    assert told["document_bytes"] > 384 * 4, "a vector is part of it"


def test_learned_fusion() -> None:
    shared("data/chorus_icecat/corpus.jsonl")
    told = printed("learned_fusion")
    assert "regret after" in told
    assert told.splitlines()[-1] == "kept"
