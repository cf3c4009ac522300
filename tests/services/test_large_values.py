import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tamis.engine.ports.metadata import Metadata
from tamis.executions.references import externalize
from tamis.model.principal import Principal
from tamis.services.records.large_values import LargeValues
from tamis.storage.metadata import open_sqlite

ME = Principal("org_1", "ns_1")


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[Metadata]:
    opened = await open_sqlite(tmp_path / "metadata.db")
    yield opened
    await opened.close()


async def put(metadata: Metadata, blobs: dict[str, bytes]) -> None:
    def write(session: Any) -> None:
        for sha1, data in blobs.items():
            session.input_blobs.put(ME, sha1, data)

    await metadata.write(write)


async def restored(metadata: Metadata, value: Any, principal: Principal = ME, **more: Any) -> Any:
    return await metadata.read(lambda session: LargeValues(session, principal, **more).restored(value))


async def test_large_parts_inside_large_parts_come_back(metadata: Metadata) -> None:
    value = {"rows": ["x" * 100_000, *(f"row {n}" for n in range(20_000))], "small": 1}
    blobs: dict[str, bytes] = {}
    reference = externalize(value, blobs)
    assert len(blobs) == 2
    await put(metadata, blobs)
    assert await restored(metadata, reference) == value
    assert await restored(metadata, reference, Principal("org_1", "ns_2")) == reference


async def test_what_only_looks_like_a_reference_cannot_grow_without_bound(metadata: Metadata) -> None:
    """Callers may write references of their own: a thousand of a thousand of a thousand."""

    def named(data: bytes) -> dict[str, Any]:
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        return {"blob_ref": {"sha1": sha1, "size_bytes": len(data), "type": "array"}}

    blobs: dict[str, bytes] = {}
    data = orjson.dumps(["x" * 10_000])
    for _ in range(3):
        reference = named(data)
        blobs[reference["blob_ref"]["sha1"]] = data
        data = orjson.dumps([reference] * 1000)
    await put(metadata, blobs)
    whole = await restored(metadata, [reference] * 1000, room_bytes=1_000_000)
    assert len(orjson.dumps(whole)) < 2_000_000
    assert whole[-1] == reference
