"""The secret that links are signed with."""

from pathlib import Path

import pytest

from tamis.errors import StorageError
from tamis.storage.secret import signing_secret


def test_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = signing_secret(path)
    assert len(made) == 32
    assert signing_secret(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert signing_secret(tmp_path / "other") != made


def test_what_is_no_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(StorageError, match="delete it"):
        signing_secret(tmp_path / "secret")
