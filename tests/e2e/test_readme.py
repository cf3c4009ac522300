"""The README's code runs as it is printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import tamis
from tests.live import Room

README = Path(__file__).parents[2] / "README.md"


def test_the_python_of_the_readme_runs(server: Room, tmp_path: Path) -> None:
    (tmp_path / "my-notes").mkdir()
    (tmp_path / "my-notes" / "retries.md").write_text("We decided to retry three times, with backoff.")
    (tmp_path / "my-notes" / "lunch.txt").write_text("Soup on Mondays.")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    tamis("load", tmp_path / "my-notes", server=server)
    code = "\n".join(blocks)
    for printed, here in (("http://127.0.0.1:8700", server.url), ('"default"', f'"{server.namespace}"')):
        assert printed in code
        code = code.replace(printed, here)
    environment = {**os.environ, "TAMIS_API_KEY": server.key}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    first, record, saved = done.stdout.splitlines()
    assert first.endswith("retries.md")
    assert re.fullmatch(r"completed \d+ 3 [0-9a-f]{40}", record)
    assert saved == "retries.md"


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "docs/contract.md", "docs/decisions/"])
def test_what_the_readme_points_to_is_there(name: str) -> None:
    assert f"]({name}" in README.read_text()
    assert (README.parent / name).exists()
