"""Documents and collections as they were."""
# ruff: noqa: S101 - a contract is made of assertions

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS

HERE = "col_first"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def _put(session: Session, count: int) -> int:
    if session.collections.get(ME, "first") is None:
        session.collections.insert(ME, samples.collection("first"))
    return session.documents.put(ME, HERE, [samples.write(number, number, HERE) for number in range(count)])


def _documents(session: Session, who: Principal, versions: Sequence[tuple[str, int]]) -> object:
    return session.history.documents(who, versions)


def _collections(session: Session, who: Principal, versions: Sequence[tuple[str, int]]) -> object:
    return session.history.collections(who, versions)


class HistoryContract:
    async def test_every_state_of_a_document_stays_known(self, metadata: Metadata) -> None:
        first = await metadata.write(lambda session: _put(session, 3))
        second = await metadata.write(lambda session: _put(session, 2))
        changed = replace(samples.document(0, 0, HERE), fields={"new": True})
        third = await metadata.write(lambda session: session.documents.put_fields(ME, HERE, [changed]))
        await metadata.write(lambda session: session.documents.delete(ME, HERE, ["doc_0001"]))
        wanted = [("doc_0000", each) for each in (first, second, third)]
        wanted += [("doc_0001", first), ("doc_0001", second), ("doc_0002", first), ("doc_0002", 99), ("doc_none", 1)]
        found = await metadata.read(lambda session: session.history.documents(ME, wanted))
        assert set(found) == set(wanted[:6])
        assert all((one.document_id, one.revision) == key for key, one in found.items())
        assert found[("doc_0000", third)].fields == {"new": True}
        assert found[("doc_0001", first)] == replace(samples.document(1, 1, HERE), revision=first)
        for stranger in STRANGERS:
            assert not await metadata.read(partial(_documents, who=stranger, versions=wanted))

    async def test_a_deleted_collection_stays_known_with_its_documents(self, metadata: Metadata) -> None:
        revision = await metadata.write(lambda session: _put(session, 3))
        before = await metadata.read(lambda session: session.collections.get(ME, HERE))
        assert before is not None
        later = replace(before, name="renamed", updated_at=before.updated_at + timedelta(seconds=1))

        def change(session: Session) -> None:
            session.collections.replace(ME, later)
            session.documents.delete_collection(ME, HERE)
            session.collections.delete(ME, HERE)

        await metadata.write(change)
        wanted = [(f"doc_000{number}", revision) for number in range(3)]
        assert set(await metadata.read(lambda session: session.history.documents(ME, wanted))) == set(wanted)
        versions = [(HERE, before.version), (HERE, later.version), (HERE, 1)]
        found = await metadata.read(lambda session: session.history.collections(ME, versions))
        assert {key: one.name for key, one in found.items()} == {versions[0]: "first", versions[1]: "renamed"}
        for stranger in STRANGERS:
            assert not await metadata.read(partial(_collections, who=stranger, versions=versions))

    async def test_what_was_replaced_long_ago_is_forgotten_a_few_at_a_time(self, metadata: Metadata) -> None:
        first = await metadata.write(lambda session: _put(session, 5))
        await metadata.write(lambda session: _put(session, 5))
        started = datetime.now(UTC)
        assert await metadata.write(lambda session: session.history.forget(ME, started - timedelta(days=1), 9)) == 0
        assert await metadata.write(lambda session: session.history.forget(STRANGERS[0], LATER, 9)) == 0
        assert await metadata.write(lambda session: session.history.forget(ME, LATER, 3)) == 3
        assert await metadata.write(lambda session: session.history.forget(ME, LATER, 3)) == 2
        wanted = [(f"doc_000{number}", first) for number in range(5)]
        assert not await metadata.read(lambda session: session.history.documents(ME, wanted))

    async def test_a_record_keeps_what_was_replaced_after_it_began(self, metadata: Metadata) -> None:
        first = await metadata.write(lambda session: _put(session, 2))
        execution = samples.execution(0)
        await metadata.write(lambda session: session.executions.insert(ME, execution))
        await metadata.write(lambda session: _put(session, 2))
        assert await metadata.write(lambda session: session.history.forget(ME, LATER, 9)) == 0
        found = await metadata.read(lambda session: session.history.documents(ME, [("doc_0000", first)]))
        assert len(found) == 1
