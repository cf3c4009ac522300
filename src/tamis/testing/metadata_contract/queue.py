"""The outbox between the system of record and the index."""
# ruff: noqa: S101 - a contract is made of assertions

from functools import partial

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


class _Planted(Exception):
    pass


async def _queue(metadata: Metadata, who: Principal = ME, collection_id: str = "col_first") -> list[tuple[str, bool]]:
    rows = await metadata.read(lambda session: session.index_queue.pending_in(who, collection_id, 100))
    assert [row.sequence for row in rows] == sorted({row.sequence for row in rows})
    assert all((row.principal, row.collection_id) == (who, collection_id) for row in rows)
    assert await metadata.read(lambda session: session.index_queue.pending_for(who, collection_id)) == len(rows)
    return [(row.document_id, row.delete) for row in rows]


class QueueContract:
    async def test_every_write_of_documents_is_queued_in_order(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))
        writes = [samples.write(number) for number in range(3)]
        await metadata.write(lambda session: session.documents.put(ME, "col_first", writes))
        await metadata.write(lambda session: session.documents.put_fields(ME, "col_first", [writes[1].document]))
        await metadata.write(lambda session: session.documents.delete(ME, "col_first", ["doc_0000", "doc_none"]))
        puts = [("doc_0000", False), ("doc_0001", False), ("doc_0002", False), ("doc_0001", False)]
        assert await _queue(metadata) == [*puts, ("doc_0000", True)]
        await metadata.write(lambda session: session.documents.delete_collection(ME, "col_first"))
        rest = (await _queue(metadata))[5:]
        assert sorted(rest) == [("doc_0001", True), ("doc_0002", True)]

    async def test_work_goes_with_its_transaction(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))

        def fail(session: Session) -> None:
            session.documents.put(ME, "col_first", [samples.write(1)])
            raise _Planted

        try:
            await metadata.write(fail)
        except _Planted:
            assert await _queue(metadata) == []
        found = await metadata.read(lambda session: session.collections.get(ME, "first"))
        assert found == samples.collection()

    async def test_only_what_was_acknowledged_goes(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))
        for _ in range(2):
            await metadata.write(lambda session: session.documents.put(ME, "col_first", [samples.write(1)]))
        first, second = await metadata.read(lambda session: session.index_queue.pending(10))

        def acknowledge(who: Principal, collection_id: str, session: Session) -> None:
            session.index_queue.acknowledge(who, collection_id, [first.sequence])

        for who in STRANGERS:
            await metadata.write(partial(acknowledge, who, "col_first"))
        await metadata.write(partial(acknowledge, ME, "col_other"))
        assert len(await _queue(metadata)) == 2
        await metadata.write(partial(acknowledge, ME, "col_first"))
        assert await metadata.read(lambda session: session.index_queue.pending(10)) == [second]
        await metadata.write(lambda session: session.index_queue.acknowledge(ME, "col_first", [second.sequence]))
        await metadata.write(lambda session: session.documents.put(ME, "col_first", [samples.write(1)]))
        (third,) = await metadata.read(lambda session: session.index_queue.pending(10))
        assert third.sequence > second.sequence

    async def test_pending_is_of_every_tenant_and_bounded(self, metadata: Metadata) -> None:
        for who in (ME, *STRANGERS):

            def put(session: Session, who: Principal = who) -> None:
                session.collections.insert(who, samples.collection())
                session.documents.put(who, "col_first", [samples.write(1), samples.write(2)])

            await metadata.write(put)
            assert await _queue(metadata, who) == [("doc_0001", False), ("doc_0002", False)]
        rows = await metadata.read(lambda session: session.index_queue.pending(3))
        assert [(row.principal, row.document_id) for row in rows] == [
            (ME, "doc_0001"), (ME, "doc_0002"), (STRANGERS[0], "doc_0001")
        ]  # fmt: skip
