from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tamis.engine.groups.aggregation import Aggregation, GroupKey
from tamis.engine.groups.metrics import Function, Metric
from tamis.errors import AlreadyExistsError, DimensionMismatch, NotFoundError, ValidationError
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.vector import Dense
from tamis.services.data.documents import DocumentDraft
from tamis.services.listing import build_query
from tests.extraction_world import DIMENSIONS, World, letters, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def bucket(world: World) -> Bucket:
    return await world.bucket()


@pytest.fixture
async def collection(world: World, bucket: Bucket) -> Collection:
    return await world.collection("docs", bucket)


def vectors(text: str, name: str = "letters") -> tuple[dict[str, Any], ...]:
    return ({"feature_extractor_id": "letter_extractor_v1", "vectors": {name: letters(text).tolist()}},)


async def create(world: World, features: tuple[dict[str, Any], ...] = (), **body: Any) -> str:
    made = await world.documents.create(world.principal, "docs", DocumentDraft(body, features))
    return made.document.document_id


async def test_a_callers_own_document_is_found_by_his_vector_at_once(world: World, collection: Collection) -> None:
    near = await create(world, vectors("aab"), metadata={"kind": "near"}, price=4)
    await create(world, vectors("xyz", "mixpeek://letter_extractor@v1/counts"), kind="far")
    assert (await world.search(collection, "aab", 1)) == [near]
    found = await world.documents.get(world.principal, "docs", near, with_vectors=True)
    assert found.document.fields == {"kind": "near", "price": 4}
    assert found.vectors is not None
    held = found.vectors["letters"]
    assert isinstance(held, Dense)
    assert np.allclose(held.values, letters("aab"))


async def test_a_plain_list_is_the_only_dense_feature(world: World, collection: Collection) -> None:
    plain = ({"feature_extractor_id": "letter_extractor@v1", "vectors": letters("q").tolist(), "payload": {"a": 1}},)
    made = await create(world, plain)
    assert (await world.search(collection, "q", 1)) == [made]
    assert (await world.documents.get(world.principal, "docs", made)).document.fields == {"a": 1}


@pytest.mark.usefixtures("collection")
async def test_bad_vectors_are_refused_by_place(world: World) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"feature_extractor_id": "other_v1"}, ValidationError, "body.features.0.feature_extractor_id"),
        (
            {"feature_extractor_id": "letter_extractor", "vectors": {"x": [1.0]}},
            ValidationError,
            "features.0.vectors.x",
        ),
        ({"feature_extractor_id": "letter_extractor", "vectors": [1.0]}, DimensionMismatch, "26 dimensions, not 1"),
        ({"feature_extractor_id": "letter_extractor", "vectors": ["a"]}, ValidationError, "features.0.vectors"),
        (
            {"feature_extractor_id": "letter_extractor", "vectors": [float("nan")] * DIMENSIONS},
            ValidationError,
            "a list of numbers",
        ),
        (
            {"feature_extractor_id": "letter_extractor", "vectors": [1e308] * DIMENSIONS},
            ValidationError,
            "a list of numbers",
        ),
        (
            {"feature_extractor_id": "letter_extractor", "vectors": [10**400] * DIMENSIONS},
            ValidationError,
            "features.0.vectors",
        ),
    ]
    for feature, kind, message in cases:
        with pytest.raises(kind, match=message):
            await create(world, (feature,))
    assert (await world.documents.list(world.principal, "docs", build_query())).total == 0


@pytest.mark.usefixtures("collection")
async def test_an_id_is_taken_once_and_shaped_like_one(world: World) -> None:
    draft = DocumentDraft({}, document_id="doc_" + "a" * 32)
    await world.documents.create(world.principal, "docs", draft)
    with pytest.raises(AlreadyExistsError):
        await world.documents.create(world.principal, "docs", draft)
    with pytest.raises(ValidationError):
        await world.documents.create(world.principal, "docs", DocumentDraft({}, document_id="mine"))


async def test_a_patch_keeps_what_it_does_not_name_and_the_vectors(world: World, collection: Collection) -> None:
    made = await create(world, vectors("aab"), brand={"name": "x", "city": "y"}, price=4)
    patched = await world.documents.patch(
        world.principal, "docs", made, {"brand.name": "z", "metadata": {"price": 5}, "document_id": "ignored"}
    )
    assert patched.document.fields == {"brand": {"name": "z", "city": "y"}, "price": 5}
    assert await world.search(collection, "aab", 1) == [made]
    assert await world.index.count(world.principal, collection.collection_id, parse_filter({"price": 5})) == 1


async def test_a_replacement_has_the_fields_of_its_body_alone(world: World, collection: Collection) -> None:
    made = await create(world, vectors("aab"), price=4, colour="red")
    await world.documents.replace(world.principal, "docs", made, {"colour": "blue"})
    found = await world.documents.get(world.principal, "docs", made)
    assert found.document.fields == {"colour": "blue"}
    await world.documents.replace(world.principal, "docs", made, {"colour": "green"}, vectors("zzz"))
    await create(world, vectors("aab"))
    assert await world.search(collection, "zzz", 1) == [made]


async def test_documents_are_patched_and_deleted_in_numbers(world: World, collection: Collection) -> None:
    ids = [await create(world, vectors("a"), number=number) for number in range(6)]
    errors, count = await world.documents.patch_each(
        world.principal, "docs", [(ids[0], {"flag": 1}), ("doc_none", {"flag": 1}), (ids[0], {"other": 2})]
    )
    assert [error is None for error in errors] == [True, False, True]
    assert count == 2
    found = await world.documents.get(world.principal, "docs", ids[0])
    assert found.document.fields == {"number": 0, "flag": 1, "other": 2}
    small = parse_filter({"number": {"lt": 3}})
    assert await world.documents.patch_matching(world.principal, "docs", small, {"size": "small"}) == 3
    indexed = parse_filter({"size": "small"})
    assert await world.index.count(world.principal, collection.collection_id, indexed) == 3
    missing, count = await world.documents.delete_each(world.principal, "docs", [ids[5], "doc_none"])
    assert (set(missing), count) == ({"doc_none"}, 1)
    assert sorted(await world.documents.delete_matching(world.principal, "docs", small)) == sorted(ids[:3])
    assert await world.index.count(world.principal, collection.collection_id, None) == 2


async def test_what_a_tenant_has_is_not_there_for_another(world: World, collection: Collection) -> None:
    made = await create(world)
    for identifier in ("docs", collection.collection_id):
        with pytest.raises(NotFoundError):
            await world.documents.get(world.stranger, identifier, made)
    await world.bucket("other")
    with pytest.raises(NotFoundError):
        await world.documents.delete(world.principal, "docs", "doc_none")
    with pytest.raises(NotFoundError):
        await world.lineage.documents_of(world.stranger, "obj_none")


@pytest.mark.usefixtures("collection")
async def test_groups_count_all_and_page_by_group(world: World) -> None:
    for number in range(10):
        await create(world, kind="even" if number % 2 == 0 else ("odd" if number < 8 else None), number=number)
    query = build_query(None, limit=2)
    found = await world.documents.groups(world.principal, "docs", "metadata.kind", query)
    assert [(group.key, group.count) for group in found.page.items] == [("even", 5), ("odd", 4)]
    assert found.page.total == 3
    assert len(found.documents) == 9
    rest = await world.documents.groups(world.principal, "docs", "kind", build_query(None, limit=2, offset=2))
    assert [(group.key, group.count) for group in rest.page.items] == [(None, 1)]


@pytest.mark.usefixtures("collection")
async def test_lists_filter_search_and_sort(world: World) -> None:
    for number, word in enumerate(("Apple pie", "pear", "apple")):
        await create(world, word=word, number=number)
    query = build_query({"number": {"gte": 0}}, "APPLE", {"field": "number", "direction": "desc"}, limit=1)
    page = await world.documents.list(world.principal, "docs", query)
    assert (page.total, [each.document.fields["word"] for each in page.items]) == (2, ["apple"])
    counted = build_query(None, count_only=True)
    assert (await world.documents.list(world.principal, "docs", counted)).total == 3


@pytest.mark.usefixtures("collection")
async def test_figures_of_groups(world: World) -> None:
    for number in range(4):
        await create(world, kind="ab"[number % 2], number=number)
    wanted = Aggregation((Metric("sum", Function.SUM, "metadata.number"),), (GroupKey("kind"),), sort_by="sum")
    rows = await world.documents.aggregate(world.principal, "docs", parse_filter({"number": {"gt": 0}}), wanted)
    assert [(row.group, row.metrics) for row in rows.items] == [
        ({"kind": "b"}, {"sum": 4}),
        ({"kind": "a"}, {"sum": 2}),
    ]


async def test_lineage_and_the_tree_of_an_object(world: World, bucket: Bucket) -> None:
    first = await world.collection("first", bucket, parameters={"separator": "|"})
    second = await world.collection("second", first)
    (object_id,) = await world.objects(bucket, [{"text": "a|b", "title": "t"}])
    await world.process(bucket, [object_id])
    leaf = (await world.all_documents(second))[0]
    lineage = await world.lineage.lineage(world.principal, "second", leaf.document_id)
    assert lineage.root is not None
    assert lineage.root.object_id == object_id
    assert [each.document_id for each in lineage.ancestors] == [leaf.lineage.source_document_id]
    above = await world.lineage.lineage(world.principal, "first", lineage.ancestors[0].document_id)
    assert [each.document_id for each in above.derived] == [leaf.document_id]
    assert len(await world.lineage.documents_of(world.principal, object_id)) == 4
    assert len(await world.lineage.documents_of(world.principal, object_id, ["second"])) == 2
    tree = await world.lineage.decomposition(world.principal, object_id)
    (top,) = tree.branches
    assert (top.collection.name, len(top.document_ids), tree.documents) == ("first", 2, 4)
    assert [(each.collection.name, len(each.document_ids)) for each in top.children] == [("second", 2)]
    with pytest.raises(NotFoundError):
        await world.lineage.decomposition(world.stranger, object_id)


async def test_times_are_utc(world: World, collection: Collection) -> None:
    before = datetime.now(UTC)
    made = await create(world)
    document = (await world.documents.get(world.principal, "docs", made)).document
    assert before <= document.created_at <= datetime.now(UTC)
    assert document.collection_id == collection.collection_id
