"""Whatever the served OpenAPI lets through or forbids: no answer from 500 on, and each as its schema says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tamis.services.upkeep.first_start import ADMIN_EMAIL
from tests.access_world import SECRET_KEY
from tests.e2e.two_tenants import FOLDER, Caller, Tenant, furnish
from tests.live import LiveServer
from tests.proofs.schema_cases import Effort, drive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
LEAST_CASES = 20_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path / "data", TAMIS_SECRET_KEY=SECRET_KEY, TAMIS_CONNECTION_FOLDERS=str(FOLDER)) as live:
        yield live


async def stocked(server: LiveServer) -> Tenant:
    """A tenant with one of everything, so that identifiers in paths are of something."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        caller = Caller(http, {"Authorization": f"Bearer {server.key}"})

        async def settle() -> None:
            for _ in range(1200):
                tasks = (await caller.ask("POST", "tasks/list", {}))["results"]
                if {task["status"] for task in tasks} == {"COMPLETED"}:
                    return
                await asyncio.sleep(0.05)
            raise AssertionError(tasks)

        return await furnish(caller, settle, "stock", ADMIN_EMAIL)


def test_twenty_thousand_cases(server: LiveServer, tmp_path: Path, quick: bool) -> None:
    """By turns with identifiers that the requests themselves made, links followed, and with those of what there is."""
    stock = asyncio.run(stocked(server))
    cases = 0
    for seed in range(2 if quick else 10):
        effort = Effort(seed, examples=2 if quick else 15, phases="coverage,fuzzing,stateful")
        outcome = drive(server, tmp_path / str(seed), effort, stock if seed % 2 else None)
        if outcome.faults:
            pytest.fail(outcome.faults[-20_000:])
        cases += outcome.cases
    assert cases >= LEAST_CASES
    assert "Traceback" not in server.log
