"""Executions that name themselves by `Idempotency-Key`: one run, one record, one answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tamis.errors import AnswerLostError
from tamis.model.principal import Principal
from tamis.services.access.idempotency import Answer, Asked, IdempotencyService
from tests.access_world import Access, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ALL = {"field": "text", "operator": "exists", "value": True}
STAGES = [{"stage_name": "all", "config": {"stage_id": "attribute_filter", "parameters": _ALL}}]
ANONYMOUS = "retrievers/execute"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Access]:
    async with opened(tmp_path_factory.mktemp("once") / "data") as access:
        access.me.namespace = "default"
        yield access


def pipeline(**more: Any) -> dict[str, Any]:
    return {"stages": STAGES, "inputs": {}, **more}


async def ask(world: Access, key: str | None, path: str = ANONYMOUS, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.me.key}", "X-Namespace": "default"}
    named = {} if key is None else {"Idempotency-Key": key}
    return await world.me.http.post(f"/v1/{path}", json=body or pipeline(), headers=headers | named)


async def count(world: Access) -> int:
    listed = await world.me.ask("POST", "retrievers/executions/list", {})
    return int(listed["total"])


async def test_the_same_key_is_one_run_one_record_and_one_answer(world: Access) -> None:
    before = await count(world)
    first, again, third = [await ask(world, "one-run") for _ in range(3)]
    assert first.status_code == 200, first.text
    assert first.content == again.content == third.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Execution-Mode"] == first.headers["X-Execution-Mode"] == "anonymous"
    assert await count(world) == before + 1
    other, without = await ask(world, "another-run"), await ask(world, None)
    assert len({answer.json()["execution_id"] for answer in (first, other, without)}) == 3
    assert await count(world) == before + 3


async def test_saved_retrievers_batches_and_replays_too(world: Access) -> None:
    body = {"retriever_name": "saved-once", "stages": STAGES}
    made = await world.me.ask("POST", "retrievers", body)
    saved = f"retrievers/{made['retriever_id']}"
    execution = (await ask(world, None)).json()["execution_id"]
    for path, sent in (
        (f"{saved}/execute", {"inputs": {}}),
        (f"{saved}/execute/batch", {"queries": [{"inputs": {}}, {"inputs": {}}]}),
        (f"retrievers/executions/{execution}/replay", {"mode": "live"}),
    ):
        first, again = [await ask(world, f"of-{path}", path, sent) for _ in range(2)]
        assert first.status_code == 200, first.text
        assert first.content == again.content
        assert again.headers["Idempotent-Replayed"] == "true"


async def test_several_at_once_are_one_run(world: Access) -> None:
    before = await count(world)
    answers = await asyncio.gather(*(ask(world, "at-once") for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    good = {answer.content for answer in answers if answer.status_code == 200}
    assert len(good) == 1
    assert {answer.json()["error"]["type"] for answer in answers if answer.status_code == 409} <= {"InProgressError"}
    assert await count(world) == before + 1


async def test_another_run_may_not_borrow_the_key(world: Access) -> None:
    assert (await ask(world, "borrowed")).status_code == 200
    refused = await ask(world, "borrowed", body=pipeline(pagination={"method": "offset", "page_size": 2}))
    assert (refused.status_code, refused.json()["error"]["type"]) == (422, "KeyReusedError")


async def test_a_stream_with_a_key_is_refused_and_keeps_nothing(world: Access) -> None:
    before = await count(world)
    refused = await ask(world, "streamed", body=pipeline(stream=True))
    assert refused.status_code == 400
    assert "Idempotency-Key" in refused.json()["error"]["message"]
    assert await count(world) == before
    assert (await ask(world, "streamed")).status_code == 200, "the key is free"


async def test_what_was_refused_is_tried_again(world: Access) -> None:
    wrong = pipeline(stages=[{"stage_name": "x", "config": {"stage_id": "no_such_stage", "parameters": {}}}])
    for _ in range(2):
        refused = await ask(world, "tried", body=wrong)
        assert refused.status_code in (404, 422)
        assert refused.json()["error"]["type"] != "KeyReusedError"
    assert (await ask(world, "tried")).status_code == 200


async def test_a_run_whose_answer_was_lost_is_not_run_again(world: Access) -> None:
    """As after a kill between the run and its answer: the key is there, the answer is not."""
    service: IdempotencyService = world.system.services[IdempotencyService]
    principal, runs = Principal("org_1", "ns_1", key_id="key_1"), 0

    async def work() -> Answer:
        nonlocal runs
        runs += 1
        return Answer(200, None)

    asked = Asked("lost", b"secret", "fingerprint", executes=True)
    assert (await service.once(principal, asked, work)) == Answer(200, None)
    with pytest.raises(AnswerLostError):
        await service.once(principal, asked, work)
    assert runs == 1


async def test_a_run_that_is_broken_off_leaves_the_key_free(world: Access) -> None:
    service: IdempotencyService = world.system.services[IdempotencyService]
    principal = Principal("org_1", "ns_1", key_id="key_1")
    asked = Asked("broken-off", b"secret", "fingerprint", executes=True)
    begun = asyncio.Event()

    async def never() -> Answer:
        begun.set()
        await asyncio.Event().wait()
        return Answer(200, b"{}")

    async def work() -> Answer:
        return Answer(200, b"{}")

    running = asyncio.create_task(service.once(principal, asked, never))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await service.once(principal, asked, work) == Answer(200, b"{}")
    assert await service.once(principal, asked, never) == Answer(200, b"{}", is_repeated=True)
