"""The demo's corpus: read with `ast`, the same on every run, one row for each docstring."""

from itertools import islice
from pathlib import Path

from tamis.cli.stdlib_corpus import docstrings

SOURCE = '''"""{long}"""

import nothing_that_exists

class Public:
    """{long} of a class"""

    def method(self):
        """{long} of a method"""
        raise SystemExit

    def _private(self):
        """{long} that nobody sees"""

def short():
    """Too short."""
'''


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("{long}", "A docstring that is long enough to be worth finding again, " + "x" * 40))


def test_one_row_for_each_public_docstring(tmp_path: Path) -> None:
    write(tmp_path, "pkg/__init__.py", SOURCE)
    rows = list(docstrings(tmp_path))
    assert [(row.name, row.kind) for row in rows] == [
        ("pkg", "module"),
        ("pkg.Public", "class"),
        ("pkg.Public.method", "function"),
    ]
    assert {row.module for row in rows} == {"pkg"}
    assert rows[0].lines == SOURCE.count("\n") + 1
    assert rows[2].lines == 3


def test_files_are_never_imported_and_broken_ones_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "dangerous.py", '"""{long}"""\nraise SystemExit("imported")\n')
    write(tmp_path, "broken.py", '"""{long}"""\nthis is not: python (\n')
    (tmp_path / "latin.py").write_bytes(b'"""\xe9' + b"x" * 100 + b'"""')
    assert [row.name for row in docstrings(tmp_path)] == ["dangerous"]


def test_tests_and_installed_packages_are_left_out(tmp_path: Path) -> None:
    for folder in ("test", "site-packages/other", "lib/tests"):
        write(tmp_path, f"{folder}/module.py", '"""{long}"""')
    assert list(docstrings(tmp_path)) == []


def test_the_standard_library_gives_thousands_in_a_fixed_order() -> None:
    first = list(docstrings())
    assert list(islice(docstrings(), 150)) == first[:150]
    assert 1_500 < len(first) < 8_000
    assert any(row.name == "subprocess.run" and row.kind == "function" and row.lines > 10 for row in first)
