"""Health, probes and discovery over HTTP: no key is needed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tamis.engine.stages import STAGES
from tests.resource_world import Resources, open_resources


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


async def get(world: Resources, path: str, **query: Any) -> Any:
    answer = await world.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_names_the_part_that_is_not_well(world: Resources) -> None:
    found = await get(world, "/v1/health")
    assert found["status"] == "DEGRADED"
    assert found["data"] == {
        "analytics": None,
        "cache": True,
        "inference": False,
        "metadata": True,
        "object_storage": True,
        "task_queue": True,
        "vector_store": True,
    }
    assert "tamis doctor" in found["errors"]["inference"]
    assert found["meta"] is None


async def test_a_blob_store_that_takes_no_writes_is_told(world: Resources) -> None:
    _replace_with_a_file(world.blob_root)
    found = await get(world, "/v1/health", deep=True, metrics=True)
    assert (found["data"]["object_storage"], found["data"]["metadata"]) == (False, True)
    assert found["meta"]["metadata"]["backend"] == "sqlite"


def _replace_with_a_file(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    folder.write_text("")


async def test_probes_tell_life_and_readiness(world: Resources) -> None:
    assert await get(world, "/livez") == {"status": "OK"}
    assert await unready(world) == ["inference"], "this world has no model"
    await world.metadata.close()
    assert await unready(world) == ["metadata", "inference"]
    world.blob_root.rename(world.blob_root.with_name("gone"))
    world.blob_root.write_text("")
    assert await unready(world) == ["metadata", "object_storage", "inference"]
    assert await get(world, "/livez") == {"status": "OK"}


async def unready(world: Resources) -> Any:
    answer = await world.http.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    return answer.json()["waiting_for"]


async def test_discovery_tells_what_is_there(world: Resources) -> None:
    found = await get(world, "/v1/discovery")
    assert {stage["stage_id"] for stage in found["stages"]} == set(STAGES)
    assert {stage["stage_id"]: stage["missing"] for stage in found["stages"] if stage["missing"]} == {
        "sql_lookup": "lookups in databases (none)"
    }
    assert {extractor["name"] for extractor in found["extractors"]} == {"letter_extractor", "copy_extractor"}
    assert {"method": "POST", "path": "/v1/buckets/{bucket_identifier}/objects"} in found["operations"]
    assert not any("collections" in operation["path"] for operation in found["operations"]), "not in this app"
    assert found["stages"] == await get(world, "/v1/discovery/stages")
    assert found["extractors"] == await get(world, "/v1/discovery/extractors")


async def test_the_manifests_schemas_stand_alone(world: Resources) -> None:
    found = await get(world, "/v1/discovery/schema")
    assert found["dependency_graph"] == {"namespace": [], "bucket": ["namespace"]}
    bucket = {"bucket_name": "b", "bucket_schema": {"properties": {"text": {"type": "text"}}}}
    jsonschema.validate(bucket, found["schemas"]["bucket"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"bucket_name": 1}, found["schemas"]["bucket"])
