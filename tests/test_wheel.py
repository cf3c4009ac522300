"""The built wheel installs into an empty environment and serves from there."""

import subprocess
import sys
import venv
from pathlib import Path

from tests.live import LiveServer

ROOT = Path(__file__).parents[1]


def build(folder: Path) -> Path:
    from hatchling.builders.wheel import WheelBuilder

    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


def test_the_wheel_installs_and_serves_in_an_empty_environment(tmp_path: Path) -> None:
    wheel = build(tmp_path / "dist")
    venv.EnvBuilder(with_pip=True).create(tmp_path / "venv")
    python = str(tmp_path / "venv" / "bin" / "python")
    install: list[str] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "--requirement", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)

    where = subprocess.check_output([python, "-c", "import tamis; print(tamis.__file__)"], cwd=tmp_path, text=True)
    assert str(tmp_path) in where
    with LiveServer(tmp_path / "data", python=python) as server, server.client() as client:
        assert client.get("health")["status"] == "OK"
        assert {stage["stage_id"] for stage in client.get("retrievers/stages")} >= {"feature_search", "limit"}
    assert sys.executable != python


def test_the_wheel_carries_what_it_reads_and_nothing_else(tmp_path: Path) -> None:
    import zipfile

    names = zipfile.ZipFile(build(tmp_path)).namelist()
    assert "tamis/api/contract_paths.txt" in names
    assert "tamis/py.typed" in names
    studio = {
        "assets/studio.css",
        "assets/htmx.min.js",
        "assets/htmx.LICENSE.txt",
        "templates/base.html",
        "languages/en.toml",
    }
    assert {f"tamis/studio/{name}" for name in studio} <= set(names)
    assert any("/metadata/" in name and "version" in name for name in names), "the migrations"
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]
