"""What a start does not wait for: a module that is imported before it is needed shows here, by its name."""

import subprocess
import sys

import pytest

_COMMAND = "import tamis.cli, tamis.cli.serve"
_SERVER = f"{_COMMAND}, tamis.cli.serving, tamis.app"


@pytest.mark.parametrize(
    ("imports", "later"),
    [
        (_COMMAND, ["httpx", "numpy", "fastapi", "sqlalchemy", "tamis.client", "tamis.cli.demo"]),
        (
            _SERVER,
            ["onnxruntime", "tokenizers", "jwt", "cryptography.x509", "markdown_it", "tamis.studio.application"],
        ),
    ],
    ids=["the command", "the server"],
)
def test_modules_come_when_they_are_asked_for(imports: str, later: list[str]) -> None:
    told = f"{imports}; import sys; print([name for name in {later!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", told], text=True).strip() == "[]"
