"""Walks over the documents of collections, and the documents that come next on their way."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from functools import partial

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import ItemStatus
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


def _following(
    session: Session, after: str = "", limit: int = 10, batch_id: str | None = None, who: Principal = ME
) -> list[str]:
    found = session.documents.following(who, "col_first", after, limit, batch_id)
    return [one.document_id for one in found]


class WalksContract:
    async def test_a_walk_lives_until_it_has_ended(self, metadata: Metadata) -> None:
        first, second = samples.walk(1), samples.walk(2)
        for walk in (second, first):
            await metadata.write(partial(_insert, walk_number=int(walk.task_id[-1])))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.walks.insert(ME, first))
        assert await metadata.read(lambda session: session.walks.list(ME, "col_first")) == [first, second]
        on = replace(first, after="doc_0007", seen=7, counts={"labelled": 3})
        await metadata.write(lambda session: session.walks.replace(ME, on))
        assert await metadata.read(lambda session: session.walks.get(ME, first.task_id)) == on
        assert await metadata.read(lambda session: session.walks.unfinished()) == [(ME, on), (ME, second)]
        for stranger in STRANGERS:
            assert await metadata.read(partial(_get, who=stranger)) is None
            assert not await metadata.write(partial(_delete, who=stranger))
            with pytest.raises(NotFoundError):
                await metadata.write(partial(_replace, who=stranger))
        assert await metadata.write(lambda session: session.walks.delete(ME, first.task_id))
        assert await metadata.read(lambda session: session.walks.unfinished()) == [(ME, second)]

    async def test_documents_follow_each_other_by_id(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.collections.insert(ME, samples.collection())
            session.documents.put(ME, "col_first", [samples.write(number) for number in (3, 1, 2, 4)])

        await metadata.write(fill)
        assert await metadata.read(_following) == ["doc_0001", "doc_0002", "doc_0003", "doc_0004"]
        assert await metadata.read(partial(_following, after="doc_0001", limit=2)) == ["doc_0002", "doc_0003"]
        for stranger in STRANGERS:
            assert await metadata.read(partial(_following, who=stranger)) == []

    async def test_of_a_batch_only_what_was_made_of_what_it_has_done(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.collections.insert(ME, samples.collection())
            writes = [samples.write(number) for number in (1, 3, 5)]
            session.documents.put(ME, "col_first", writes)
            items = [
                replace(samples.item(number), source_id=str(_source(number)), status=status)
                for number, status in ((1, ItemStatus.DONE), (3, ItemStatus.FAILED), (5, ItemStatus.DONE))
            ]
            session.batches.add_items(ME, items)
            session.batches.add_items(ME, [replace(items[1], batch_id="btch_2", status=ItemStatus.DONE)])

        await metadata.write(fill)
        assert await metadata.read(partial(_following, batch_id="btch_1")) == ["doc_0001", "doc_0005"]
        assert await metadata.read(partial(_following, batch_id="btch_1", after="doc_0001")) == ["doc_0005"]
        assert await metadata.read(partial(_following, batch_id="btch_2")) == ["doc_0003"]
        assert await metadata.read(partial(_following, batch_id="btch_3")) == []


def _source(number: int) -> str | None:
    lineage = samples.document(number).lineage
    return lineage.source_document_id or lineage.source_object_id


def _insert(session: Session, walk_number: int) -> None:
    session.walks.insert(ME, samples.walk(walk_number))


def _get(session: Session, who: Principal) -> object:
    return session.walks.get(who, samples.walk(1).task_id)


def _delete(session: Session, who: Principal) -> bool:
    return session.walks.delete(who, samples.walk(1).task_id)


def _replace(session: Session, who: Principal) -> None:
    session.walks.replace(who, samples.walk(1))
