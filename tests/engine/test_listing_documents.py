"""Documents by a filter alone: a large collection is not read through, and what is found is what the record says."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tamis.engine.ports.index import Point
from tamis.engine.searching.searcher import Searcher
from tamis.errors import IndexUnavailableError
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite
from tamis.model.filters import Filter, parse_filter
from tamis.model.principal import Principal
from tamis.storage.metadata.documents import SqlDocuments
from tamis.testing.memory_index import MemoryIndex
from tests.extraction_world import NoModels, World, open_world

COUNT = 2500
SEVENS = parse_filter({"shelf": 7})


class Watched(MemoryIndex):
    """is_away: whether it answers nothing."""

    is_away = False

    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        if self.is_away:
            raise IndexUnavailableError
        return await super().select(principal, collection_id, filter, limit)


@pytest.fixture
def index() -> Watched:
    return Watched()


@pytest.fixture
async def world(tmp_path: Path, index: Watched) -> AsyncIterator[World]:
    async with open_world(tmp_path, index) as opened:
        yield opened


@pytest.fixture
async def collection(world: World) -> Collection:
    made = await world.collection("docs", await world.bucket())
    writes = [DocumentWrite(document(number, made), {}) for number in range(COUNT)]
    await world.metadata.write(lambda session: session.documents.put(world.principal, made.collection_id, writes))
    await world.indexer.apply(world.principal, made.collection_id)
    return made


def document(number: int, collection: Collection) -> Document:
    now = datetime.now(UTC)
    return Document(f"doc_{number:020}", collection.collection_id, {"shelf": number % 100}, now, now)


async def listed(
    world: World, collection: Collection, filter: Filter | None, limit: int = 50
) -> tuple[list[int], bool]:
    searcher = Searcher(world.index, world.metadata, NoModels())
    documents, more = await searcher.list_documents(world.principal, [collection], filter, limit)
    return [int(one.document_id[4:]) for one in documents], more


@pytest.fixture
def read_through(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many documents each scan of the record came to."""
    counts: list[int] = []
    scan = SqlDocuments.scan

    def counted(self: SqlDocuments, *given: object) -> object:
        counts.append(0)
        for one in scan(self, *given):  # type: ignore[arg-type]
            counts[-1] += 1
            yield one

    monkeypatch.setattr(SqlDocuments, "scan", counted)
    return counts


async def test_a_rare_value_of_a_large_collection_is_not_read_for(
    world: World, collection: Collection, read_through: list[int]
) -> None:
    assert await listed(world, collection, SEVENS) == (list(range(7, COUNT, 100)), False)
    assert sum(read_through) < 300
    assert await listed(world, collection, SEVENS, limit=5) == ([7, 107, 207, 307, 407], True)


async def test_what_the_index_does_not_tell_is_read(
    world: World, collection: Collection, index: Watched, read_through: list[int]
) -> None:
    many = parse_filter({"field": "shelf", "operator": "lt", "value": 90})
    expected = [number for number in range(COUNT) if number % 100 < 90]
    assert await listed(world, collection, many, limit=COUNT) == (expected, False)
    assert sum(read_through) > 1000
    index.is_away = True
    assert await listed(world, collection, SEVENS) == (list(range(7, COUNT, 100)), False)


async def test_the_record_has_the_last_word(world: World, collection: Collection) -> None:
    """Where the index is behind or ahead: what has gone or changed since is left out."""
    key = collection.collection_id
    await world.index.upsert(world.principal, key, [Point("doc_" + "9" * 20, {}, {"shelf": 7})])
    await world.metadata.write(lambda session: session.documents.delete(world.principal, key, [f"doc_{107:020}"]))
    moved = [document(8, collection)]
    await world.index.set_fields(world.principal, key, [Point(moved[0].document_id, {}, {"shelf": 7})])
    assert (await listed(world, collection, SEVENS, limit=3))[0] == [7, 207, 307]
