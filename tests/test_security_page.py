"""What SECURITY.md says is tried by a test is tried by one that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text()


def test_every_test_and_page_that_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[^`:]+)`", PAGE) + re.findall(r"\]\((docs/[^)#]+)", PAGE)
    assert len(named) > 15
    assert [path for path in named if not list(ROOT.glob(path))] == []


def test_every_decision_that_it_names_is_there() -> None:
    numbers = {number for group in re.findall(r"decisions? ([0-9, ]+)", PAGE) for number in re.findall(r"\d{4}", group)}
    assert numbers
    assert [number for number in numbers if not list((ROOT / "docs" / "decisions").glob(f"{number}-*.md"))] == []
