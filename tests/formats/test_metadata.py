"""Databases that older versions wrote, kept in this folder, still open, migrate and read."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from tamis.storage.metadata import open_sqlite
from tamis.storage.metadata.schema import REVISION
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME
from tests.formats import make_metadata

SAMPLES = sorted(make_metadata.HERE.glob("metadata-*.db.gz"))


def missing(old: Any, new: Any, where: str = "") -> list[str]:
    """Where `new` lacks what `old` has; fields that were added since are no loss."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [fault for key in old for fault in missing(old[key], new.get(key, "absent"), f"{where}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [fault for place, pair in enumerate(zip(old, new, strict=True)) for fault in missing(*pair, f"{where}[{place}]")]  # fmt: skip # noqa: E501 - one walk
    return [] if old == new else [f"{where}: {old!r} became {new!r}"]


def test_this_schema_has_a_sample() -> None:
    assert make_metadata.HERE / f"metadata-{REVISION}.db.gz" in SAMPLES


@pytest.fixture(params=SAMPLES, ids=lambda path: str(path.name))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Any]:
    """An old database, and what has to be read from it."""
    sample: Path = request.param
    path = tmp_path / "tamis.db"
    path.write_bytes(gzip.decompress(sample.read_bytes()))
    return path, orjson.loads(sample.with_suffix("").with_suffix(".json").read_bytes())


async def test_an_old_database_opens_reads_and_takes_writes(old: tuple[Path, Any]) -> None:
    path, expected = old
    metadata = await open_sqlite(path)
    try:
        found = orjson.loads(orjson.dumps(await make_metadata.dump(metadata)))
        assert missing(expected, found) == []
        assert (await metadata.health()).facts["schema"] == REVISION
        revision = await metadata.write(lambda session: session.documents.put(ME, "col_first", [samples.write(7)]))
        assert revision == expected["collections"][0]["revision"] + 1
    finally:
        await metadata.close()
