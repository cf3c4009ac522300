from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tamis.errors import AlreadyExistsError, ConflictError, NotFoundError, TamisError, ValidationError
from tamis.model.collection import Collection, ExtractorConfig, Passthrough, Source
from tamis.services.data.collection_design import properties_of
from tamis.services.data.collections import CollectionChange, CollectionClone, CollectionDraft
from tamis.services.listing import build_query
from tamis.testing.metadata_contract import samples
from tests.extraction_world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


def place(error: TamisError) -> list[str | int]:
    assert isinstance(error, ValidationError)
    return list(error.problems[0]["loc"])


async def refused(world: World, **changes: Any) -> list[str | int]:
    await world.bucket()
    asked = {"name": "docs", "source": Source("bucket", ("things",)), "extractor": ExtractorConfig("letter", "v1")}
    with pytest.raises(ValidationError) as caught:
        await world.collections.create(world.principal, CollectionDraft(**{**asked, **changes}))
    return place(caught.value)


async def test_schemas_and_features_stand_before_there_is_a_document(world: World) -> None:
    bucket = await world.bucket()
    collection = await world.collection(
        "docs", bucket, passthrough=[("price",), ("metadata.brand.name", "maker.name"), ("metadata.unknown",)]
    )
    assert collection.extractor.name == "letter_extractor"
    assert collection.extractor.input_mappings == {"text": "text"}
    assert [spec.name for spec in collection.features] == ["letters"]
    output = properties_of(collection.output_schema)
    assert output == {
        "price": {"type": "integer"},
        "maker": {"type": "object", "properties": {"name": {"type": "string"}}},
        "unknown": {"type": "automatic"},
        "text": {"type": "text"},
        "part": {"type": "integer"},
    }
    assert set(properties_of(collection.input_schema)) == {"text", "title", "price", "brand"}


async def test_a_collection_is_found_by_id_and_by_name_by_its_tenant_alone(world: World) -> None:
    collection = await world.collection("docs", await world.bucket())
    for identifier in ("docs", collection.collection_id):
        assert (await world.collections.get(world.principal, identifier)).collection == collection
        with pytest.raises(NotFoundError):
            await world.collections.get(world.stranger, identifier)
    assert (await world.collections.list(world.stranger, build_query())).total == 0


async def test_a_cluster_that_is_to_run_is_there(world: World) -> None:
    collection = await world.collection("docs", await world.bucket())
    gone: tuple[dict[str, Any]] = ({"cluster_id": "clust_gone"},)
    with pytest.raises(ValidationError) as caught:
        await world.collections.create(
            world.principal,
            CollectionDraft("more", collection.source, ExtractorConfig("letter", "v1"), cluster_applications=gone),
        )
    assert place(caught.value) == ["body", "cluster_applications", 0, "cluster_id"]
    with pytest.raises(ValidationError, match="'clust_gone' was not found"):
        await world.collections.patch(world.principal, "docs", CollectionChange(cluster_applications=gone))
    cluster = replace(samples.cluster(), collection_ids=(collection.collection_id,))
    await world.metadata.write(lambda session: session.clusters.insert(world.principal, cluster))
    there: tuple[dict[str, Any]] = ({"cluster_id": cluster.cluster_id},)
    await world.collections.patch(world.principal, "docs", CollectionChange(cluster_applications=there))
    copied, _ = await world.collections.clone(world.principal, "docs", CollectionClone("copied"))
    await world.metadata.write(lambda session: session.clusters.delete(world.principal, cluster.cluster_id))
    without, _ = await world.collections.clone(world.principal, "docs", CollectionClone("without"))
    found = [one.collection.cluster_applications for one in (copied, without)]
    assert found == [there, ()]


async def test_a_required_input_takes_the_only_field_of_its_type(world: World) -> None:
    bucket = await world.bucket("b", {"properties": {"body": {"type": "text"}, "title": {"type": "string"}}})
    assert (await world.collection("docs", bucket)).extractor.input_mappings == {"text": "body"}
    without = await world.bucket("c", {"properties": {}})
    assert (await world.collection("more", without)).extractor.input_mappings == {"text": "text"}


async def test_an_input_that_could_be_any_field_is_asked_for(world: World) -> None:
    bucket = await world.bucket("b", {"properties": {"one": {"type": "string"}, "two": {"type": "string"}}})
    with pytest.raises(ValidationError) as caught:
        await world.collection("docs", bucket)
    assert place(caught.value) == ["body", "feature_extractor", "input_mappings", "text"]
    assert "one (string), two (string)" in caught.value.message


@pytest.mark.parametrize("path", ["$.title", "metadata.title", "title", "payload.title", "$.payload.metadata.title"])
async def test_every_spelling_of_a_path_is_understood(world: World, path: str) -> None:
    bucket = await world.bucket()
    collection = await world.collection("docs", bucket, input_mappings={"text": path})
    ids = await world.objects(bucket, [{"title": "abc"}])
    await world.process(bucket, ids)
    assert [each.fields["text"] for each in await world.all_documents(collection)] == ["abc"]


async def test_what_is_wrong_is_named(world: World) -> None:
    source = ["body", "source"]
    mappings = ["body", "feature_extractor", "input_mappings"]
    extractor = ExtractorConfig("letter", "v1")
    assert await refused(world, name="list") == ["body", "collection_name"]
    cases: list[tuple[dict[str, Any], list[str | int]]] = [
        ({"name": "ab"}, ["body", "collection_name"]),
        ({"name": "col_0123456789012345678901"}, ["body", "collection_name"]),
        ({"source": Source("bucket", ("things", "none"))}, [*source, "bucket_ids", 1]),
        ({"source": Source("bucket")}, [*source, "bucket_ids"]),
        ({"source": Source("collection", (), ("none",))}, [*source, "collection_ids", 0]),
        ({"extractor": ExtractorConfig("none", "v1")}, ["body", "feature_extractor", "feature_extractor_name"]),
        ({"extractor": ExtractorConfig("letter", "v9")}, ["body", "feature_extractor", "feature_extractor_name"]),
        (
            {"extractor": ExtractorConfig("letter", "v1", {"separator": 5})},
            ["body", "feature_extractor", "parameters", "separator"],
        ),
        (
            {"extractor": ExtractorConfig("letter", "v1", {"separator": {"type": "fixed", "value": 5}})},
            ["body", "feature_extractor", "parameters", "separator"],
        ),
        ({"extractor": ExtractorConfig("letter", "v1", {"x": 1})}, ["body", "feature_extractor", "parameters", "x"]),
        ({"extractor": ExtractorConfig("letter", "v1", {}, {"text": "titel"})}, [*mappings, "text"]),
        ({"extractor": ExtractorConfig("letter", "v1", {}, {"image": "title"})}, [*mappings, "image"]),
    ]
    for changes, expected in cases:
        asked = {"name": "docs", "source": Source("bucket", ("things",)), "extractor": extractor, **changes}
        with pytest.raises(ValidationError) as caught:
            await world.collections.create(world.principal, CollectionDraft(**asked))
        assert place(caught.value) == expected, changes


async def test_a_name_is_taken_once(world: World) -> None:
    bucket = await world.bucket()
    await world.collection("docs", bucket)
    with pytest.raises(AlreadyExistsError):
        await world.collection("docs", bucket)


async def test_details_tell_counts_and_where_it_comes_from(world: World) -> None:
    bucket = await world.bucket()
    first = await world.collection("first", bucket)
    second = await world.collection("second", first)
    third = await world.collection("third", second)
    await world.process(bucket, await world.objects(bucket, [{"text": "a"}, {"text": "b"}]))
    details = await world.collections.get(world.principal, "third")
    assert details.document_count == 2
    assert [each.name for each in details.upstream] == ["first", "second"]
    assert list(details.bucket_schemas) == [bucket.bucket_id]
    assert third.source.collection_ids == (second.collection_id,)
    page = await world.collections.list(
        world.principal, build_query({"field": "document_count", "operator": "gte", "value": 2}, sort="collection_name")
    )
    assert [each.collection.name for each in page.items] == ["first", "second", "third"]


async def test_a_patch_changes_what_it_names(world: World) -> None:
    await world.collection("docs", await world.bucket(), description="before")
    change = CollectionChange(name="papers", enabled=False, metadata={"a": 1})
    await world.collections.patch(world.principal, "docs", change)
    found = (await world.collections.get(world.principal, "papers")).collection
    assert (found.enabled, found.metadata, found.description) == (False, {"a": 1}, "before")
    with pytest.raises(NotFoundError):
        await world.collections.get(world.principal, "docs")


async def test_what_feeds_others_is_deleted_last(world: World) -> None:
    bucket = await world.bucket()
    first = await world.collection("first", bucket)
    await world.collection("second", first)
    await world.process(bucket, await world.objects(bucket, [{"text": "a"}]))
    with pytest.raises(ConflictError, match="second"):
        await world.collections.delete(world.principal, "first")
    with pytest.raises(NotFoundError):
        await world.collections.delete(world.stranger, "second")
    await world.collections.delete(world.principal, "second")
    await world.collections.delete(world.principal, "first")
    assert await world.all_documents(first) == []
    assert await world.search(first, "a") == []


def test_extractors_go_by_every_spelling(world: World) -> None:
    for spelling in ("letter_extractor@v1", "letter_extractor_v1", "letter_extractor", "letter", "letter@v1"):
        assert world.collections.extractor(spelling).name == "letter_extractor"
    with pytest.raises(NotFoundError):
        world.collections.extractor("letter_extractor@v7")


async def test_passing_everything_leaves_system_fields_behind(world: World) -> None:
    bucket = await world.bucket()
    collection: Collection = await world.collection("copies", bucket, "copy")
    await world.process(bucket, await world.objects(bucket, [{"text": "a", "price": 3, "brand": {"name": "x"}}]))
    (document,) = await world.all_documents(collection)
    assert document.fields == {"text": "a", "price": 3, "brand": {"name": "x"}}


async def test_a_required_field_that_is_missing_fails_its_object_and_a_default_stands_in(world: World) -> None:
    bucket = await world.bucket()
    rules = [Passthrough("title", "t", "untitled"), Passthrough("price", "p", None, True)]
    extractor = ExtractorConfig("letter", "v1", passthrough=tuple(rules))
    draft = CollectionDraft("docs", Source("bucket", ("things",)), extractor)
    collection = (await world.collections.create(world.principal, draft)).collection
    await world.process(bucket, await world.objects(bucket, [{"text": "a", "price": 3}, {"text": "b"}]))
    (document,) = await world.all_documents(collection)
    assert document.fields["t"] == "untitled"
    assert document.fields["p"] == 3


async def test_a_clone_is_made_as_its_source_but_for_what_is_said(world: World) -> None:
    bucket = await world.bucket()
    source = await world.collection(
        "docs", bucket, parameters={"separator": " "}, passthrough=[("price",)], description="all", metadata={"a": 1}
    )
    await world.process(bucket, await world.objects(bucket, [{"text": "one two"}]))
    made, source_id = await world.collections.clone(world.principal, "docs", CollectionClone("again"))
    clone = made.collection
    assert (source_id, made.document_count) == (source.collection_id, 0)
    assert (clone.source, clone.extractor, clone.features) == (source.source, source.extractor, source.features)
    assert (clone.description, clone.metadata) == ("all", {"a": 1})
    changed = CollectionClone("whole", extractor=replace(source.extractor, parameters={}), metadata={})
    whole = (await world.collections.clone(world.principal, source.collection_id, changed))[0].collection
    assert (whole.extractor.parameters, whole.extractor.passthrough) == ({}, source.extractor.passthrough)
    assert (whole.metadata, whole.description) == ({}, "all")
    assert len(await world.all_documents(source)) == 2

    with pytest.raises(AlreadyExistsError):
        await world.collections.clone(world.principal, "docs", CollectionClone("again"))
    with pytest.raises(NotFoundError):
        await world.collections.clone(world.stranger, "docs", CollectionClone("theirs"))
