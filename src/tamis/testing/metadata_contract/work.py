"""Uploads, batches with their items, and tasks."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from typing import Any

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import BatchItem, ItemStatus, TaskStatus
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS

DONE, FAILED, WAITING = ItemStatus.DONE, ItemStatus.FAILED, ItemStatus.WAITING


class WorkContract:
    async def test_an_upload_lives(self, metadata: Metadata) -> None:
        first, second = samples.upload(1), samples.upload(2)
        await metadata.write(lambda session: session.uploads.insert(ME, first))
        await metadata.write(lambda session: session.uploads.insert(ME, second))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.uploads.insert(ME, second))
        assert await metadata.read(lambda session: session.uploads.get(ME, "upl_1")) == first
        assert await metadata.read(lambda session: session.uploads.list(ME, "bkt_1")) == [second, first]
        assert await metadata.read(lambda session: session.uploads.list(ME, "bkt_2")) == []
        assert await metadata.write(lambda session: session.uploads.delete(ME, "upl_1")) is True
        assert await metadata.write(lambda session: session.uploads.delete(ME, "upl_1")) is False
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.uploads.replace(ME, first))

    async def test_only_a_completed_upload_answers_for_its_bytes(self, metadata: Metadata) -> None:
        pending = samples.upload(1, file_hash="abc")
        await metadata.write(lambda session: session.uploads.insert(ME, pending))
        assert await metadata.read(lambda session: session.uploads.find_hash(ME, "bkt_1", "abc")) is None
        completed = replace(pending, status="COMPLETED", completed_at=samples.NOW)
        await metadata.write(lambda session: session.uploads.replace(ME, completed))
        assert await metadata.read(lambda session: session.uploads.find_hash(ME, "bkt_1", "abc")) == completed
        assert await metadata.read(lambda session: session.uploads.find_hash(ME, "bkt_2", "abc")) is None

    async def test_a_batch_lives(self, metadata: Metadata) -> None:
        first, second = samples.batch(1), samples.batch(2)
        await metadata.write(lambda session: session.batches.insert(ME, first))
        await metadata.write(lambda session: session.batches.insert(ME, second))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.batches.insert(ME, first))
        assert await metadata.read(lambda session: session.batches.list(ME, "bkt_1")) == [second, first]
        changed = replace(first, status=TaskStatus.PROCESSING, current_tier=0)
        await metadata.write(lambda session: session.batches.replace(ME, changed))
        assert await metadata.read(lambda session: session.batches.get(ME, "btch_1")) == changed
        assert await metadata.write(lambda session: session.batches.delete(ME, "btch_1")) is True
        assert await metadata.write(lambda session: session.batches.delete(ME, "btch_1")) is False
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.batches.replace(ME, changed))

    async def test_unfinished_batches_of_every_tenant_oldest_first(self, metadata: Metadata) -> None:
        tenants = [ME, *STRANGERS]
        every = [(tenants[number % 4], samples.batch(number, status)) for number, status in enumerate(TaskStatus)]

        def insert(session: Session) -> None:
            for who, batch in every:
                session.batches.insert(who, batch)

        await metadata.write(insert)
        unfinished = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.PROCESSING)
        expected = [(who, batch) for who, batch in every if batch.status in unfinished]
        assert await metadata.read(lambda session: session.batches.unfinished()) == expected

    async def test_an_item_is_added_once(self, metadata: Metadata) -> None:
        items = [samples.item(number) for number in range(4)]
        done = replace(items[0], status=DONE, attempts=1, documents=3)
        await metadata.write(lambda session: session.batches.add_items(ME, items))
        await metadata.write(lambda session: session.batches.update_items(ME, [done]))
        await metadata.write(lambda session: session.batches.add_items(ME, [*items, samples.item(9)]))
        counts = await metadata.read(lambda session: session.batches.count_items(ME, "btch_1"))
        assert counts == {(0, DONE): 1, (0, WAITING): 4}
        page = await metadata.read(lambda session: session.batches.items(ME, "btch_1", DONE, None, None, 10, 0))
        assert (list(page.items), page.total) == ([done], 1)

    async def test_waiting_items_by_tier(self, metadata: Metadata) -> None:
        items = [samples.item(number, tier) for tier in (0, 1) for number in (3, 1, 2)]
        items = [replace(each, collection_id=f"col_{each.tier}") for each in items]
        await metadata.write(lambda session: session.batches.add_items(ME, items))

        def waiting(session: Session) -> list[str]:
            return [each.source_id for each in session.batches.waiting_items(ME, "btch_1", 1, 2)]

        assert await metadata.read(waiting) == ["obj_0001", "obj_0002"]
        finished = [replace(each, status=DONE) for each in items if each.source_id == "obj_0001"]
        await metadata.write(lambda session: session.batches.update_items(ME, finished))
        assert await metadata.read(waiting) == ["obj_0002", "obj_0003"]

    async def test_items_by_status_tier_and_collection(self, metadata: Metadata) -> None:
        failed = [_failed(number, tier, f"col_{tier}{number % 2}") for tier in (0, 1) for number in range(4)]
        await metadata.write(lambda session: session.batches.add_items(ME, failed))

        async def find(tier: int | None, collection_id: str | None, limit: int = 9, offset: int = 0) -> tuple[int, int]:
            page = await metadata.read(
                lambda session: session.batches.items(ME, "btch_1", FAILED, tier, collection_id, limit, offset)
            )
            return len(page.items), page.total

        assert await find(None, None) == (8, 8)
        assert await find(1, None) == (4, 4)
        assert await find(None, "col_01") == (2, 2)
        assert await find(1, "col_01") == (0, 0)
        assert await find(None, None, limit=3, offset=6) == (2, 8)
        everything = await metadata.read(lambda session: session.batches.items(ME, "btch_1", FAILED, 0, "col_00", 9, 0))
        assert list(everything.items) == [failed[0], failed[2]]

    async def test_items_go_with_their_batch(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.batches.insert(ME, samples.batch(1)))
        await metadata.write(lambda session: session.batches.add_items(ME, [samples.item(1)]))
        await metadata.write(lambda session: session.batches.delete(ME, "btch_1"))
        assert await metadata.read(lambda session: session.batches.count_items(ME, "btch_1")) == {}

    async def test_a_task_lives(self, metadata: Metadata) -> None:
        first, second = samples.task(1), samples.task(2)
        await metadata.write(lambda session: session.tasks.insert(ME, first))
        await metadata.write(lambda session: session.tasks.insert(ME, second))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.tasks.insert(ME, first))
        changed = replace(first, status=TaskStatus.COMPLETED, outputs=(1.5, None))
        await metadata.write(lambda session: session.tasks.replace(ME, changed))
        assert await metadata.read(lambda session: session.tasks.list(ME)) == [second, changed]
        assert await metadata.read(lambda session: session.tasks.get(ME, "task_1")) == changed
        assert await metadata.read(lambda session: session.tasks.list(ME, "COMPLETED")) == [changed]
        assert await metadata.write(lambda session: session.tasks.delete(ME, "task_1")) is True
        assert await metadata.write(lambda session: session.tasks.delete(ME, "task_1")) is False
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.tasks.replace(ME, first))

    async def test_windows_of_uploads_batches_and_tasks(self, metadata: Metadata) -> None:
        """Pairs share a time: ties go by id."""
        times = [samples.later(number // 2) for number in range(5)]

        def insert(session: Session) -> None:
            for number, at in enumerate(times):
                status = TaskStatus.FAILED if number % 2 else TaskStatus.DRAFT
                session.uploads.insert(ME, replace(samples.upload(number), created_at=at))
                session.batches.insert(ME, replace(samples.batch(number, status), created_at=at))
                kind = "tier" if number > 2 else "batch"
                session.tasks.insert(ME, replace(samples.task(number), type=kind, status=status, created_at=at))

        await metadata.write(insert)

        def read(session: Session) -> None:
            uploads, batches, tasks = session.uploads, session.batches, session.tasks
            every = (uploads.list(ME, "bkt_1"), batches.list(ME, "bkt_1"), tasks.list(ME))
            assert [task.task_id[-1] for task in every[2]] == ["4", "2", "3", "0", "1"]
            for limit, offset in ((2, 0), (2, 2), (2, 4), (9, 0), (2, 9), (0, 0)):
                pages: tuple[Page[Any], ...] = (
                    uploads.page(ME, "bkt_1", limit, offset),
                    batches.page(ME, "bkt_1", None, limit, offset),
                    tasks.page(ME, limit, offset),
                )
                for page, whole in zip(pages, every, strict=True):
                    assert list(page.items) == list(whole[offset : offset + limit])
                    assert (page.total, page.limit, page.offset) == (5, limit, offset)
            failed = batches.page(ME, "bkt_1", TaskStatus.FAILED, 1, 1)
            assert ([batch.batch_id for batch in failed.items], failed.total) == (["btch_1"], 2)
            assert batches.page(ME, "bkt_1", TaskStatus.COMPLETED, 9, 0).total == 0
            assert batches.count(ME, "bkt_1") == {TaskStatus.DRAFT: 3, TaskStatus.FAILED: 2}
            assert [task.task_id for task in tasks.list(ME, "DRAFT")] == ["task_4", "task_2", "task_0"]
            assert [task.task_id for task in tasks.list(ME, "DRAFT", "batch")] == ["task_2", "task_0"]
            window = tasks.page(ME, 1, 1, kind="batch")
            assert ([task.task_id for task in window.items], window.total) == (["task_0"], 3)
            assert tasks.page(ME, 9, 0, "FAILED", "tier").total == 1
            assert (uploads.page(ME, "bkt_2", 9, 0).total, batches.count(ME, "bkt_2")) == (0, {})

        await metadata.read(read)

    async def test_others_neither_see_nor_touch_work(self, metadata: Metadata) -> None:
        upload, batch, item, task = (
            samples.upload(1, "COMPLETED", "abc"),
            samples.batch(1),
            samples.item(1),
            samples.task(1),
        )

        def insert(session: Session) -> None:
            session.uploads.insert(ME, upload)
            session.batches.insert(ME, batch)
            session.batches.add_items(ME, [item])
            session.tasks.insert(ME, task)

        await metadata.write(insert)
        for stranger in STRANGERS:

            def look(session: Session, who: Principal = stranger) -> list[object]:
                session.batches.update_items(who, [replace(item, status=DONE)])
                return [
                    session.uploads.get(who, "upl_1"), session.uploads.find_hash(who, "bkt_1", "abc"),
                    session.batches.get(who, "btch_1"), session.tasks.get(who, "task_1"),
                    session.uploads.delete(who, "upl_1"), session.batches.delete(who, "btch_1"),
                    session.tasks.delete(who, "task_1"),
                    session.uploads.list(who, "bkt_1"), session.batches.list(who, "bkt_1"), session.tasks.list(who),
                    session.uploads.page(who, "bkt_1", 9, 0).total, session.tasks.page(who, 9, 0).total,
                    session.batches.page(who, "bkt_1", None, 9, 0).total, session.batches.count(who, "bkt_1"),
                    session.batches.waiting_items(who, "btch_1", 0, 9),
                    session.batches.items(who, "btch_1", WAITING, None, None, 9, 0).total,
                    session.batches.count_items(who, "btch_1"),
                ]  # fmt: skip

            nothing: list[object] = [None, None, None, None, False, False, False, [], [], [], 0, 0, 0, {}, [], 0, {}]
            assert await metadata.write(look) == nothing
        assert await metadata.read(lambda session: session.batches.waiting_items(ME, "btch_1", 0, 9)) == [item]


def _failed(number: int, tier: int, collection_id: str) -> BatchItem:
    item = samples.item(number, tier, collection_id)
    return replace(item, status=FAILED, attempts=2, error="no such file", error_type="not_found")
