"""Transactions: all of a function or nothing, durable and visible when `write` returns."""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError, StorageError
from tamis.model.bucket import Bucket
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME


class _Planted(Exception):
    pass


class TransactionsContract:
    async def test_a_function_that_fails_leaves_nothing(self, metadata: Metadata) -> None:
        def fail(session: Session) -> None:
            session.buckets.insert(ME, samples.bucket())
            raise _Planted

        with pytest.raises(_Planted):
            await metadata.write(fail)
        assert await metadata.read(lambda session: session.buckets.get(ME, "first")) is None

    async def test_among_neighbours_only_those_that_fail_are_undone(self, metadata: Metadata) -> None:
        def insert(number: int) -> str:
            async def run() -> str:
                def function(session: Session) -> str:
                    bucket = session.buckets.insert(ME, samples.bucket(f"b{number}"))
                    if number % 3 == 0:
                        raise _Planted(number)
                    return bucket.name

                return await metadata.write(function)

            tasks.append(asyncio.ensure_future(run()))
            return f"b{number}"

        tasks: list[asyncio.Future[str]] = []
        names = [insert(number) for number in range(40)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for number, outcome in enumerate(outcomes):
            if number % 3 == 0:
                assert isinstance(outcome, _Planted)
                assert outcome.args == (number,)
            else:
                assert outcome == names[number]
        kept = await metadata.read(lambda session: {bucket.name for bucket in session.buckets.list(ME)})
        assert kept == {name for number, name in enumerate(names) if number % 3}

    async def test_a_refused_name_leaves_the_transaction_usable(self, metadata: Metadata) -> None:
        def function(session: Session) -> None:
            session.buckets.insert(ME, samples.bucket("a"))
            session.buckets.insert(ME, samples.bucket("b"))
            with pytest.raises(AlreadyExistsError):
                session.buckets.insert(ME, samples.bucket("a"))
            with pytest.raises(AlreadyExistsError):
                session.buckets.replace(ME, _with_name("b", "a"))
            with pytest.raises(NotFoundError):
                session.documents.put(ME, "col_none", [samples.write(1)])
            session.buckets.insert(ME, samples.bucket("c"))

        await metadata.write(function)
        assert await metadata.read(lambda session: len(session.buckets.list(ME))) == 3

    async def test_a_function_sees_its_own_writes(self, metadata: Metadata) -> None:
        def function(session: Session) -> bool:
            session.buckets.insert(ME, samples.bucket())
            return session.buckets.get(ME, "first") == samples.bucket()

        assert await metadata.write(function)

    async def test_a_change_of_what_was_read_is_never_lost(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket()))

        def count(session: Session) -> None:
            before = session.buckets.get(ME, "first")
            assert before is not None
            known = before.metadata.get("count", 0)
            assert isinstance(known, int)
            session.buckets.replace(ME, replace(before, metadata={"count": known + 1}))

        await asyncio.gather(*(metadata.write(count) for _ in range(30)))
        after = await metadata.read(lambda session: session.buckets.get(ME, "first"))
        assert after is not None
        assert after.metadata == {"count": 30}

    async def test_what_has_been_written_is_visible_at_once(self, metadata: Metadata) -> None:
        async def write_and_look(number: int) -> int:
            bucket = samples.bucket(f"b{number}")
            await metadata.write(lambda session: session.buckets.insert(ME, bucket))
            assert await metadata.read(lambda session: session.buckets.get(ME, bucket.name)) == bucket
            return await metadata.read_now(lambda session: len(session.buckets.list(ME)))

        assert [await write_and_look(number) for number in range(20)] == list(range(1, 21))

    async def test_concurrent_writes_of_one_collection_each_raise_its_revision(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))

        async def put(number: int) -> int:
            return await metadata.write(lambda session: session.documents.put(ME, "col_first", [samples.write(number)]))

        revisions = await asyncio.gather(*(put(number) for number in range(30)))
        assert sorted(revisions) == list(range(1, 31))

    async def test_a_read_may_not_write(self, metadata: Metadata) -> None:
        with pytest.raises(StorageError):
            await metadata.read(lambda session: session.buckets.insert(ME, samples.bucket()))
        with pytest.raises(StorageError):
            await metadata.read_now(lambda session: session.buckets.insert(ME, samples.bucket()))
        assert await metadata.read(lambda session: session.buckets.list(ME)) == []

    async def test_one_read_is_one_snapshot(self, metadata: Metadata) -> None:
        loop = asyncio.get_running_loop()

        def function(session: Session) -> tuple[int, int]:
            before = len(session.buckets.list(ME))
            asyncio.run_coroutine_threadsafe(_insert(metadata), loop).result(30)
            return before, len(session.buckets.list(ME))

        assert await metadata.read(function) == (0, 0)
        assert await metadata.read(lambda session: len(session.buckets.list(ME))) == 1

    async def test_health_names_the_backend(self, metadata: Metadata) -> None:
        health = await metadata.health()
        assert health.ok
        assert health.backend
        assert health.facts["schema"]

    async def test_closed_means_closed(self, metadata: Metadata) -> None:
        await metadata.close()
        await metadata.close()
        with pytest.raises(StorageError):
            await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket()))
        with pytest.raises(StorageError):
            await metadata.read(lambda session: session.buckets.list(ME))
        with pytest.raises(StorageError):
            await metadata.read_now(lambda session: session.buckets.list(ME))
        assert not (await metadata.health()).ok


async def _insert(metadata: Metadata) -> None:
    await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket()))


def _with_name(name: str, new: str) -> Bucket:
    return replace(samples.bucket(name), name=new)
