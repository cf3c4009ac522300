"""Where the peers live: a virtual environment of their own, made once from a hashed list."""

import subprocess
import sys
from pathlib import Path

_FOLDER = Path(".cache/peers/venv").absolute()
_LIST = Path(__file__).parent / "requirements.lock"
PYTHON = _FOLDER / "bin" / "python"


def ensure() -> None:
    """Some 150 packages; minutes, the first time."""
    mark = _FOLDER / ".installed"
    if mark.exists() and mark.read_bytes() == _LIST.read_bytes():
        return
    print("installing the peers into", _FOLDER, flush=True)
    subprocess.run([sys.executable, "-m", "venv", _FOLDER], check=True)
    install: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", _LIST]
    subprocess.run(install, check=True)
    mark.write_bytes(_LIST.read_bytes())
