"""From a document to its executions, record by record."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata
from tamis.executions.sighting import Sighting
from tamis.executions.writing import stored_of
from tamis.model.principal import Scope
from tamis.services.records import sightings
from tamis.services.records.execution_overviews import Cursor
from tamis.services.records.sightings import SightingService
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later
from tests.executions.records import a_hit, a_record, a_stage

OFTEN, SELDOM, NEVER = "doc_often", "doc_seldom", "doc_never"
COUNT = 40


def entry(number: int) -> Entry:
    """Every one returns one document, every tenth drops another; some are a saved retriever's."""
    dropped = [a_hit(SELDOM)] if number % 10 == 0 else []
    record = a_record(a_stage(0, "search", (), [a_hit("doc_x"), a_hit(OFTEN), *dropped]), a_stage(1, "cut"))
    cut = replace(record.stages[1], received=record.stages[0].returned, returned=record.stages[0].returned[:2])
    stored = stored_of(replace(record, stages=(record.stages[0], cut))).execution
    owner = "ret_1" if number % 4 == 0 else None
    header = replace(
        stored.header, execution_id=f"exec_{number:04}", started_at=later(number // 2), retriever_id=owner,
        mode="saved" if owner else "anonymous",
    )  # fmt: skip
    return Entry(ME, replace(stored, header=header))


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[Metadata]:
    opened = await open_sqlite(tmp_path / "metadata.db")
    await asyncio.gather(*(opened.keep(entry(number)) for number in range(COUNT)))
    yield opened
    await opened.close()


async def every(service: SightingService, document_id: str, limit: int) -> tuple[list[str], int, int]:
    """Their ids, how many records were looked at, and in how many pages."""
    found: list[str] = []
    looked_at, pages = 0, 0
    after: Cursor | None = None
    while True:
        page = await service.find(ME, document_id, limit, after)
        assert len(page.items) <= limit
        found += [one.header.execution_id for one in page.items]
        looked_at, pages, after = looked_at + page.looked_at, pages + 1, page.more
        if after is None:
            return found, looked_at, pages
        assert Cursor.read(after.text) == after


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("at_once", [1, 7, 500])
async def test_page_by_page_every_one_is_found_once(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch, limit: int, at_once: int
) -> None:
    monkeypatch.setattr(sightings, "_AT_ONCE", at_once)
    monkeypatch.setattr(sightings, "MOST_LOOKED_AT", 11)
    service = SightingService(metadata)
    newest = [f"exec_{number:04}" for number in reversed(range(COUNT))]
    assert (await every(service, OFTEN, limit))[:2] == (newest, COUNT)
    assert (await every(service, SELDOM, limit))[:2] == ([one for one in newest if one.endswith("0")], COUNT)
    found, looked_at, pages = await every(service, NEVER, limit)
    assert (found, looked_at) == ([], COUNT)
    assert at_once == 500 or pages > 2


async def test_it_says_what_became_of_the_document(metadata: Metadata) -> None:
    service = SightingService(metadata)
    (one,) = (await service.find(ME, OFTEN, 1)).items
    assert one.sighting == Sighting(2)
    (one,) = (await service.find(ME, SELDOM, 1)).items
    assert one.sighting == Sighting(None, "cut")


async def test_whose_executions_one_may_not_see_one_does_not_find(metadata: Metadata) -> None:
    service = SightingService(metadata)
    for stranger in STRANGERS:
        assert (await service.find(stranger, OFTEN, 10)).items == []
    limited = replace(ME, scopes=(Scope(ME.namespace_id, "ret_1"),))
    found = await service.find(limited, OFTEN, 100)
    assert {one.header.retriever_id for one in found.items} == {"ret_1"}
    assert found.looked_at == COUNT // 4
