from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import NotFoundError
from tamis.model.collection import Collection
from tamis.model.field_schema import added, discovered
from tamis.services.data.collection_design import properties_of
from tamis.services.data.schema_sync import DEBOUNCE, SchemaSyncService
from tests.extraction_world import World, open_world


def _named(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from("abc"), values, max_size=3)


_SCALARS = st.none() | st.booleans() | st.integers() | st.just(0.5) | st.sampled_from(["", "2026-01-31", "soon"])
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | _named(inner), max_leaves=4)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> float:
        return self.at.timestamp() * 1000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def _written(world: World, collection: Collection, **fields: Any) -> None:
    """Somebody patches every document of the collection."""
    documents = await world.all_documents(collection)
    after = [replace(one, fields={**one.fields, **fields}) for one in documents]
    await world.metadata.write(
        lambda session: session.documents.put_fields(world.principal, collection.collection_id, after)
    )


async def test_fields_that_documents_have_come_into_the_schema_and_go_on_to_what_is_fed(world: World) -> None:
    bucket = await world.bucket()
    docs = await world.collection("docs", bucket)
    below = await world.collection("below", docs, "copy", include_all=True)
    beside = await world.collection("beside", docs, "copy", passthrough=[("text",)])
    await world.process(bucket, await world.objects(bucket, [{"text": "one"}, {"text": "two"}]))
    await _written(world, docs, text=7, maker={"name": "Ada", "born": "1815-12-10"}, tags=["x"], share=0.5)
    clock = Clock()
    syncs = SchemaSyncService(world.metadata, clock)

    done = await syncs.sync(world.principal, "docs")
    assert (sorted(done.fields), done.documents) == (["maker", "share", "tags"], 2)
    assert (done.previous_version, done.collection.schema_version) == (1, 2)
    output = properties_of(done.collection.output_schema)
    assert output["text"] == {"type": "text"}, "a type that is known stays"
    assert output["maker"] == {"type": "object", "properties": {"name": {"type": "string"}, "born": {"type": "date"}}}
    assert output["tags"] == {"type": "array", "items": {"type": "string"}}
    assert set(done.downstream) == {below.collection_id, beside.collection_id}
    shown = {name: (await world.collections.get(world.principal, name)).collection for name in ("below", "beside")}
    assert "share" in properties_of(shown["below"].output_schema)
    assert "share" in properties_of(shown["beside"].input_schema)
    assert "share" not in properties_of(shown["beside"].output_schema), "it passes the text alone"

    await _written(world, docs, maker={"name": "Ada", "place": {"city": "London"}})
    skipped = await syncs.sync(world.principal, "docs")
    assert skipped.skipped is not None
    assert skipped.documents == 0
    forced = await syncs.sync(world.principal, "docs", force=True, cascade=False)
    assert (forced.fields, forced.downstream) == (("maker.place",), ())
    clock.at += DEBOUNCE
    again = await syncs.sync(world.principal, "docs", cascade=False)
    assert (again.fields, again.collection.schema_version) == ((), 3)
    assert again.collection.version == forced.collection.version, "what caches follow from has not changed"


async def test_a_stranger_has_no_such_collection(world: World) -> None:
    await world.collection("docs", await world.bucket())
    with pytest.raises(NotFoundError):
        await SchemaSyncService(world.metadata, Clock()).sync(world.stranger, "docs")


@given(st.lists(_named(_VALUES), max_size=4))
def test_order_does_not_count_and_what_is_found_is_found_once(rows: list[dict[str, Any]]) -> None:
    found = discovered(rows)
    assert added(found, found) == (found, [])
    known, fresh = added({}, found)
    assert (known, sorted(fresh)) == (found, sorted(found))
    assert set(discovered(rows[::-1])) == set(found)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ([1, 2.5], {"type": "number"}),
        (["2026-01-31", "2026-01-31T12:00:00Z"], {"type": "datetime"}),
        (["2026-01-31", "soon"], {"type": "string"}),
        ([True, 1], {"type": "automatic"}),
        ([[], [1]], {"type": "array", "items": {"type": "integer"}}),
        ([{"a": 1}, {"b": None}], {"type": "object", "properties": {"a": {"type": "integer"}}}),
    ],
)
def test_values_that_differ_have_a_type_that_holds_them(values: list[Any], field: dict[str, Any]) -> None:
    assert discovered([{"x": value} for value in values]) == {"x": field}
