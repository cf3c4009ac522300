"""The cost model: its arithmetic on numbers that can be worked out by hand, and the page that shows what it says."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import scale_model
from benchmarks.scale_constants import CONSTANTS
from benchmarks.scale_model import SIZES, Workload

PAGE = (Path(__file__).parents[1] / "docs" / "scale.md").read_text()


def test_the_page_shows_what_the_model_says_today() -> None:
    assert scale_model.table(SIZES) in PAGE, "stale: python -m benchmarks.scale_model"
    assert scale_model.constants_table() in PAGE, "stale: python -m benchmarks.scale_model"
    assert scale_model.limits() in " ".join(PAGE.split())


def test_sizes_add_up() -> None:
    small, large = Workload(1e6, 100), Workload(1e8, 10_000)
    assert scale_model.records_a_day(small) == 8_640_000
    assert scale_model.index_memory_gb(small) == pytest.approx(1e6 * 2 * (390 + 192) / 1e9)
    assert scale_model.index_memory_gb(large) == pytest.approx(100 * scale_model.index_memory_gb(small))
    assert [scale_model.shards(one) for one in (small, large)] == [1, 5]
    assert scale_model.hot_records_tb(small) == pytest.approx(8_640_000 * 7 * 2_316 / 1e12)
    assert scale_model.record_cores(large) == math.ceil(10_000 * 690e-6 / 0.5)
    assert scale_model.search_s(100_000) == pytest.approx(230e-6)
    assert scale_model.search_s(1e10) == pytest.approx(460e-6)
    assert scale_model.index_cores(Workload(1e5, 1)) == CONSTANTS["replicas"].value, "a copy takes a core at least"


def test_who_is_served_in_turn_waits_for_those_before() -> None:
    arrivals, serving = np.array([0.0, 1.0, 1.5, 9.0]), np.array([2.0, 1.0, 1.0, 0.5])
    assert scale_model._in_turn(arrivals, serving).tolist() == [2.0, 2.0, 2.5, 0.5]


def test_what_is_simulated_waits_longer_the_busier_and_the_wider_it_is() -> None:
    idle, busy = (scale_model.simulate(Workload(1e5, rate), 4_000, 1) for rate in (1, 3_500))
    assert idle.p50_ms == pytest.approx(0.21, abs=0.02), "the median of a log-normal time of 0.23 ms in the mean"
    assert busy.p99_ms > 2 * idle.p99_ms
    wide = scale_model.simulate(Workload(1e9, 1), 4_000, 2)
    one = scale_model.simulate(Workload(2e7, 1), 4_000, 2)
    assert wide.p50_ms > 1.5 * one.p50_ms, "fifty shards are as slow as the slowest"
    assert scale_model.simulate(Workload(1e9, 1), 4_000, 2, second=True).p99_ms < wide.p99_ms


def test_it_runs_for_any_size_and_says_what_is_none() -> None:
    command = [sys.executable, "-m", "benchmarks.scale_model", "--quick", "--documents", "3e7", "--executions"]
    shown = subprocess.run([*command, "50"], capture_output=True, text=True, check=True).stdout
    assert "30,000,000 documents, 50/s | 2 x 2 |" in shown
    refused = subprocess.run([*command, "-1"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "more than 0" in refused.stderr
