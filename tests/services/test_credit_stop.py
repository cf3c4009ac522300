"""Credits and caps as a hard stop, over the real ledger."""

from dataclasses import replace
from pathlib import Path

import pytest

from tamis.engine.planning.plan import Planner
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.errors import CreditsSpentError
from tamis.services.access.credit_stop import CreditStop
from tamis.services.access.credits import CreditService
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.turns import Turns
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import REGISTRY, WallClock, World, opened, search, specs


class Payer:
    """Executions of one credit each."""

    def __init__(self, world: World) -> None:
        clock, metadata = WallClock(), world.shop.metadata
        prices = PriceTable({"feature_search": Price(per_run=1.0)})
        self.credits = CreditService(metadata, clock, 0.01)
        self.stop = CreditStop(metadata, self.credits.standing, clock)
        executor = Executor(world.executions._executor.environment, prices)
        self.service = ExecutionService(
            metadata, Planner(REGISTRY), executor, clock, InFlight(clock), turns=Turns(credits=self.stop)
        )

    async def run(self) -> None:
        executed = await self.service.execute_anonymous(PRINCIPAL, specs(search()), {}, RunOptions())
        assert executed.credits_used == 1.0


async def test_who_was_never_given_credits_may_spend_what_he_likes(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        payer = Payer(world)
        for _ in range(3):
            await payer.run()


async def test_the_last_credit_is_the_last_execution(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        payer = Payer(world)
        await payer.run()
        assert await payer.credits.add(PRINCIPAL, 2) == (0, 2)
        payer.stop.forget()
        for _ in range(2):
            await payer.run()
        with pytest.raises(CreditsSpentError, match="no credits left") as refused:
            await payer.run()
        assert refused.value.details["api_name"] == "credits"
        payer.stop.forget()
        with pytest.raises(CreditsSpentError):
            await payer.run()
        await payer.credits.add(PRINCIPAL, 1)
        payer.stop.forget()
        await payer.run()


async def test_a_hard_cap_ends_the_month(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        payer = Payer(world)
        await payer.credits.change_caps(PRINCIPAL, {"hard_cap_cents": 2, "hard_cap_enabled": True})
        for _ in range(2):
            await payer.run()
            payer.stop.forget()
        with pytest.raises(CreditsSpentError, match="hard spending cap"):
            await payer.run()
        await payer.credits.change_caps(PRINCIPAL, {"hard_cap_enabled": False})
        payer.stop.forget()
        await payer.run()


async def test_another_organisation_pays_for_itself(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        payer = Payer(world)
        await payer.credits.add(PRINCIPAL, 1)
        payer.stop.spent(PRINCIPAL, 5)
        await payer.run()
        with pytest.raises(CreditsSpentError):
            await payer.run()
        await payer.stop.check(replace(PRINCIPAL, organization_id="org_2"))
