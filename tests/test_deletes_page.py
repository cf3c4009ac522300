"""docs/deletes.md has every delete that there is; users and secrets have docs/access.md."""

import re
from pathlib import Path

from tests.conformance.served import served_openapi

PAGE = (Path(__file__).parents[1] / "docs" / "deletes.md").read_text()
ELSEWHERE = "/v1/organizations"


def test_every_delete_is_told() -> None:
    served = {path for path, operations in served_openapi()["paths"].items() if "delete" in operations}
    told = set(re.findall(r"\| `(/v1/\S+)` \|", PAGE))
    assert told <= served
    assert {path for path in served if not path.startswith(ELSEWHERE)} <= told
