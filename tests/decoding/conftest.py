from collections.abc import Iterator
from pathlib import Path

import pytest

from tamis.decoding.pool import DecoderPool


@pytest.fixture(scope="session")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecoderPool]:
    pool = DecoderPool(tmp_path_factory.mktemp("decoding"), workers=1, timeout_s=20.0)
    yield pool
    pool.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"twelve bytes")
    return path
