"""Sixty-four clients at once: each request is answered as its client's book says. The long form: benchmarks/load.py."""

import asyncio
from pathlib import Path

import pytest
from benchmarks.load import load

from tests.live import LiveServer


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_mixed_requests_from_many_clients(tmp_path: Path, quick: bool) -> None:
    requests = 5_000 if quick else 50_000
    with LiveServer(tmp_path / "data") as server:
        done = asyncio.run(load(server, 64, requests))
        assert done.book.refused == []
        assert done.book.requests >= requests
        assert done.memory.samples
        assert "Traceback" not in server.log
