"""Credits and caps as a hard stop, over the real ledger."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tamis.engine.planning.plan import Planner
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.errors import CreditsSpentError
from tamis.jobs.tuning import TuningWorker
from tamis.services.access.credit_stop import CreditStop
from tamis.services.access.credits import CreditService
from tamis.services.learning.tuning import TuningService
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.turns import Turns
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.retrieval_world import REGISTRY, WallClock, World, opened, search, specs, stage

PRICES = PriceTable({"feature_search": Price(per_run=1.0)})


class Payer:
    """Executions of one credit each."""

    def __init__(self, world: World) -> None:
        clock, metadata = WallClock(), world.shop.metadata
        self.credits = CreditService(metadata, clock, 0.01)
        self.stop = CreditStop(metadata, self.credits.standing, clock)
        executor = Executor(world.executions._executor.environment, PRICES)
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


async def test_what_a_tuning_tries_is_charged_and_ends_with_the_credits(tmp_path: Path) -> None:
    """A credit a question, three questions: the retriever as it is and two others, and the fourth is broken off."""
    async with opened(tmp_path) as world:
        payer, metadata = Payer(world), world.shop.metadata
        executor = Executor(world.executions._executor.environment, PRICES)
        tuning = TuningService(metadata, Planner(REGISTRY), executor, Turns(credits=payer.stop))
        world = replace(world, tuning=tuning, tuner=TuningWorker(metadata, tuning, world.retrievers, WallClock()))
        async with world.client() as client:
            task = await begun(client)
            assert await payer.credits.add(PRINCIPAL, 9) == (0, 9)
            payer.stop.forget()
            world.tuner.start()
            await world.tuner.drain()
            await world.tuner.close()
            run = (await client.get(f"/v1/retrievers/tuned/tunings/{task}")).json()
            refused = await client.post("/v1/retrievers/tuned/tune", json={"dataset": "golden", "max_credits": 100})
        assert (run["status"], len(run["result"]["trials"]), run["credits"]) == ("COMPLETED", 3, 9)
        assert run["result"]["stopped"] == "this organization has no credits left"
        spent = await metadata.read(lambda session: session.credits.spent(PRINCIPAL))
        assert [(one.operation, one.credits, one.executions) for one in spent] == [("tuning", 9.0, 0)]
        assert (await payer.credits.standing(PRINCIPAL)).balance == 0
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "CreditsSpentError")


async def begun(client: httpx.AsyncClient) -> str:
    """A tuning of a retriever that fuses two searches, by three judged questions."""
    searches = [{"feature_uri": URI, "query": "{{INPUT.q}}", "lexical": is_lexical} for is_lexical in (False, True)]
    saved = {
        "retriever_name": "tuned", "input_schema": {"q": {"type": "text"}},
        "stages": [stage("feature_search", searches=searches, fusion="rrf")],
    }  # fmt: skip
    queries = [
        {"query_id": q, "query_input": {"q": q}, "relevant_documents": ["doc_1"]} for q in ("shoes", "book", "knife")
    ]
    golden = {"dataset_name": "golden", "queries": queries}
    for path, body in (("retrievers", saved), ("retrievers/evaluations/datasets", golden)):
        answer = await client.post(f"/v1/{path}", json=body)
        assert answer.is_success, answer.text
    asked = {"dataset": "golden", "max_credits": 100, "max_candidates": 6}
    return str((await client.post("/v1/retrievers/tuned/tune", json=asked)).json()["task_id"])
