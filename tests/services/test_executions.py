import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.ports.executions import ExecutionQuery
from tamis.errors import NotFoundError, StageError, ValidationError
from tamis.executions.codec import decode
from tamis.model.document import Document, DocumentWrite
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Principal
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.result_pages import CursorExpiredError, PageMethod, PageRequest, Position
from tamis.services.runs.retrievers import RetrieverDraft
from tests.engine.stages.shop import NOW, PRINCIPAL
from tests.retrieval_world import Wait, World, opened, search, specs, stage

SHOES = specs(search("running shoes"))
STRANGERS = (Principal("org_2", "ns_1"), Principal("org_1", "ns_2"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


async def run(world: World, *raw: dict[str, Any], page: PageRequest | None = None, **options: Any) -> Executed:
    if page is not None:
        options["page"] = page
    stages = specs(*raw) if raw else SHOES
    return await world.executions.execute_anonymous(PRINCIPAL, stages, {}, RunOptions(**options))


def ids(executed: Executed) -> list[str]:
    return [hit.id for hit in executed.documents]


async def total(records: ExecutionRecords, status: ExecutionStatus | None = None) -> int:
    return (await records.list_anonymous(PRINCIPAL, ExecutionQuery(status=status), count_only=True)).total


async def test_the_record_is_there_when_the_answer_is(world: World) -> None:
    executed = await run(world, search(), stage("limit", limit=2), inputs={"who": "me"})
    stored = await world.restarted().records.get_anonymous(PRINCIPAL, executed.execution_id)
    header = stored.header
    assert (header.mode, header.status, header.retriever_id) == ("anonymous", ExecutionStatus.COMPLETED, None)
    assert (header.total_stages, header.stages_completed, header.total_returned) == (2, 2, 2)
    assert stored.inputs == '{"who":"me"}'
    assert [hit.id for hit in decode(stored).stages[-1].returned] == ids(executed)


async def test_without_collections_it_runs_over_those_that_its_stages_name_else_all(world: World) -> None:
    everywhere = await run(world)
    narrow = await run(world, search(collection_identifiers=["products"]))
    named = await run(world, collections=("more",))
    assert sorted(ids(everywhere)) == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert sorted(ids(narrow)) == ["p1", "p3", "p5"]
    assert sorted(ids(named)) == ["p2", "p4", "p6"]


@pytest.mark.parametrize(
    ("raw", "options", "error"),
    [
        ([stage("no_such_stage")], {}, ValidationError),
        ([search()], {"collections": ("nowhere",)}, NotFoundError),
        ([search()], {"filters": {"field": "brand", "operator": "about", "value": 1}}, ValidationError),
        ([search("{{INPUT.q}}")], {}, ValidationError),
    ],
)
async def test_a_request_that_is_wrong_before_it_runs_leaves_no_record(
    world: World, raw: list[dict[str, Any]], options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await run(world, *raw, **options)
    assert await total(world.records) == 0


async def test_a_run_that_fails_is_recorded_and_named(world: World) -> None:
    with pytest.raises(StageError) as caught:
        await run(world, search(), stage("break"))
    stored = await world.records.get_anonymous(PRINCIPAL, caught.value.details["execution_id"])
    assert stored.header.status is ExecutionStatus.FAILED
    assert stored.header.stages_completed == 1
    assert "ZeroDivisionError" in (stored.header.error or "")


async def test_one_that_runs_is_seen_and_one_that_is_cancelled_is_recorded(world: World) -> None:
    working = asyncio.ensure_future(run(world, search(), stage("wait")))
    await Wait.reached.wait()
    running = await world.records.list_anonymous(PRINCIPAL, ExecutionQuery(status=ExecutionStatus.PROCESSING))
    execution_id = running.items[0].execution_id
    seen = await world.records.get_anonymous(PRINCIPAL, execution_id)
    assert seen.header.status is ExecutionStatus.PROCESSING
    for stranger in STRANGERS:
        with pytest.raises(NotFoundError):
            await world.records.get_anonymous(stranger, execution_id)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    ended = await world.records.get_anonymous(PRINCIPAL, execution_id)
    assert ended.header.status is ExecutionStatus.CANCELLED
    assert await total(world.records) == 1


async def test_lists_show_the_newest_first_running_ones_among_them(world: World) -> None:
    done = [(await run(world)).execution_id for _ in range(3)]
    working = asyncio.ensure_future(run(world, stage("wait")))
    await Wait.reached.wait()
    pages = [await world.records.list_anonymous(PRINCIPAL, ExecutionQuery(limit=2, offset=at)) for at in (0, 2)]
    found = [header.execution_id for page in pages for header in page.items]
    oldest = await world.records.list_anonymous(PRINCIPAL, ExecutionQuery(limit=9, oldest_first=True))
    Wait.go.set()
    await working
    assert found[1:] == done[::-1]
    assert [header.execution_id for header in oldest.items] == found[::-1]
    assert {page.total for page in pages} == {4}


async def test_a_filter_of_the_request_narrows_every_search(world: World) -> None:
    executed = await run(world, filters={"field": "metadata.brand", "operator": "eq", "value": "Blade"})
    assert ids(executed) == ["p4", "p3"]


async def test_the_same_request_gives_the_same_answer(world: World) -> None:
    first, second = await run(world), await run(world)
    assert [(hit.id, hit.score) for hit in first.documents] == [(hit.id, hit.score) for hit in second.documents]


def onward(page: PageRequest, executed: Executed) -> PageRequest:
    said: Any = executed.pagination
    size = page.size or 0
    if page.method is PageMethod.OFFSET:
        return PageRequest(page.method, size, offset=(said["next_page"] - 1) * size)
    if page.method is PageMethod.KEYSET:
        return PageRequest(page.method, size, after=said["after"])
    return PageRequest(page.method, size, token=said.get("next_cursor") or said.get("scroll_id"))


@pytest.mark.parametrize("method", list(PageMethod))
async def test_no_page_repeats_or_skips_a_document_while_others_write(world: World, method: PageMethod) -> None:
    page = PageRequest(method, 2)
    executed = await run(world, page=page)
    seen = ids(executed)
    while executed.pagination["has_next"]:
        better = Document("p0", "col_a", {"text": "running shoes of the very best kind"}, NOW, NOW)
        vectors = await world.shop.metadata.read(lambda session: session.documents.vectors(PRINCIPAL, ["p1"]))
        await world.shop.put("col_a", [DocumentWrite(better, vectors["p1"])])
        page = onward(page, executed)
        executed = await run(world, page=page)
        seen += ids(executed)
    assert sorted(seen) == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert "p0" in ids(await run(world))


async def test_a_page_is_an_execution_with_a_record_that_cost_nothing(world: World) -> None:
    first = await run(world, page=PageRequest(PageMethod.CURSOR, 2))
    second = await run(world, page=onward(PageRequest(PageMethod.CURSOR, 2), first))
    header = (await world.records.get_anonymous(PRINCIPAL, second.execution_id)).header
    assert second.execution_id != first.execution_id
    assert (header.credits_used, header.cache_hit_rate, header.total_returned) == (0.0, 1.0, 2)


async def test_pages_go_on_after_a_restart_from_the_record(world: World) -> None:
    first = await run(world, page=PageRequest(PageMethod.CURSOR, 2))
    page = onward(PageRequest(PageMethod.CURSOR, 3), first)
    await world.shop.metadata.write(lambda session: session.documents.delete(PRINCIPAL, "col_a", ["p1"]))
    whole = await run(world, page=page)
    again = await world.restarted().executions.execute_anonymous(PRINCIPAL, SHOES, {}, RunOptions(page=page))
    assert ids(again) == [one for one in ids(whole) if one != "p1"]
    assert all(hit.document for hit in again.documents)


async def test_a_cursor_opens_nothing_but_its_own_request(world: World) -> None:
    first = await run(world, page=PageRequest(PageMethod.CURSOR, 2))
    page = onward(PageRequest(PageMethod.CURSOR, 2), first)
    with pytest.raises(ValidationError, match="same pipeline"):
        await run(world, search("bread"), page=page)
    stranger = Principal("org_2", "ns_9", PRINCIPAL.permissions)
    with pytest.raises((CursorExpiredError, ValidationError)):
        await world.executions.execute_anonymous(stranger, specs(stage("limit")), {}, RunOptions(page=page))


async def test_a_cursor_whose_record_is_gone_has_expired(world: World) -> None:
    token = Position("exec_0193a1b2c3d4a1b2c3d4e5f60718", 2).token
    with pytest.raises(CursorExpiredError):
        await run(world, page=PageRequest(PageMethod.CURSOR, 2, token=token))


async def test_a_saved_retriever_runs_and_its_executions_are_its_own(world: World) -> None:
    draft = RetrieverDraft("shoes", SHOES, collections=("products",))
    saved = await world.retrievers.create(PRINCIPAL, draft)
    executed = await world.executions.execute_saved(
        PRINCIPAL, "shoes", RunOptions(page=PageRequest(PageMethod.CURSOR, 2))
    )
    again = await world.restarted().records.get_saved(PRINCIPAL, "shoes", executed.execution_id)
    assert [hit.id for hit in again.documents] == ids(executed)
    assert again.record.retriever_version == 1
    listed = await world.records.list_saved(PRINCIPAL, saved.retriever_id, ExecutionQuery())
    assert [header.execution_id for header in listed.items] == [executed.execution_id]
    with pytest.raises(NotFoundError):
        await world.records.get_anonymous(PRINCIPAL, executed.execution_id)
    anonymous = await run(world)
    with pytest.raises(NotFoundError):
        await world.records.get_saved(PRINCIPAL, "shoes", anonymous.execution_id)


async def test_a_later_offset_page_alone_runs_the_pipeline_and_reads_back_what_it_showed(world: World) -> None:
    await world.retrievers.create(PRINCIPAL, RetrieverDraft("all", SHOES))
    page = PageRequest(PageMethod.OFFSET, 2, offset=2)
    executed = await world.executions.execute_saved(PRINCIPAL, "all", RunOptions(page=page))
    assert executed.pagination["page_number"] == 2
    again = await world.records.get_saved(PRINCIPAL, "all", executed.execution_id)
    assert [hit.id for hit in again.documents] == ids(executed)


async def test_large_inputs_stand_once_as_blobs(world: World) -> None:
    text = "shoes " * 20_000
    executed = await run(world, inputs={"note": text})
    stored = await world.records.get_anonymous(PRINCIPAL, executed.execution_id)
    assert len(stored.inputs) < 1000
    reference: Any = decode(stored).inputs["note"]
    sha1 = reference["blob_ref"]["sha1"]
    data = await world.shop.metadata.read(lambda session: session.input_blobs.get(PRINCIPAL, sha1))
    assert data == text.encode()


async def test_a_caller_that_leaves_before_its_answer_has_a_cancelled_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the pipeline's end and the answer stands only the reading of vectors."""
    reading = asyncio.Event()
    read = world.shop.metadata.read

    async def slow(fn: Any) -> Any:
        if "vectors" in fn.__code__.co_names and "get_many" not in fn.__code__.co_names:
            reading.set()
            await asyncio.Event().wait()
        return await read(fn)

    monkeypatch.setattr(world.shop.metadata, "read", slow)
    running = asyncio.create_task(run(world, return_vectors=True))
    await asyncio.wait_for(reading.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await total(world.records, ExecutionStatus.CANCELLED) == 1
