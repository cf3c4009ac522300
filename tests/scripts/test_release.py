"""What is released comes out the same whoever builds it, and has a version that the changelog knows."""

import io
import tarfile
from pathlib import Path

import pytest
from scripts.release import ROOT, Unfit, built, differing, version_of

_FILES = ("src", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md", "SECURITY.md")


def tree(root: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in _FILES:
            archive.add(root / name, name, filter=lambda one: None if "__pycache__" in one.name else one)
    return content.getvalue()


def test_built_twice_is_the_same_byte_by_byte() -> None:
    files = tree(ROOT)
    one = built(ROOT, files, "one", 0o022, TZ="UTC")
    assert {Path(name).suffix for name in one} == {".whl", ".gz"}
    assert differing(one, built(ROOT, files, "another", 0o077, TZ="Asia/Tokyo")) == []


def test_what_differs_is_named() -> None:
    assert differing({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b""}) == ["b", "c"]


def test_a_version_is_semantic_and_in_the_changelog(tmp_path: Path) -> None:
    (tmp_path / "src/tamis").mkdir(parents=True)
    module, changelog = tmp_path / "src/tamis/__init__.py", tmp_path / "CHANGELOG.md"
    module.write_text('__version__ = "1.2.3"\n')
    changelog.write_text("# Changelog\n\n## 1.2.3 (2026-12-01)\n")
    assert version_of(tmp_path) == "1.2.3"
    changelog.write_text("# Changelog\n\n## 1.2.30 (2026-12-01)\n")
    with pytest.raises(Unfit, match=r"no section for 1\.2\.3"):
        version_of(tmp_path)
    module.write_text('__version__ = "1.2"\n')
    with pytest.raises(Unfit, match="no semantic version"):
        version_of(tmp_path)


def test_this_version_is_fit() -> None:
    assert version_of(ROOT)
