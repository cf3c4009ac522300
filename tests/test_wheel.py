"""The built wheel installs into an empty environment and serves from there."""

import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.live import LiveServer

ROOT = Path(__file__).parents[1]


def build(folder: Path) -> Path:
    from hatchling.builders.wheel import WheelBuilder

    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


def required(wheel: Path) -> dict[str, Distribution]:
    """What the wheel says that it needs, and what that needs: without extras, as `pip install tamis` brings it."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    asked = [(line.partition(": ")[2], "") for line in lines if line.startswith("Requires-Dist: ")]
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    while asked:
        text, extra = asked.pop()
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        one = distribution(requirement.name)
        found[canonicalize_name(requirement.name)] = one
        for wanted in ("", *requirement.extras):
            if (requirement.name, wanted) not in seen:
                seen.add((requirement.name, wanted))
                asked += [(more, wanted) for more in one.requires or ()]
    return found


def tops(one: Distribution) -> Iterator[Path]:
    """The folders and files of it that lie in `site-packages`."""
    for name in sorted({file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}):
        yield Path(str(one.locate_file(name)))


def environment(folder: Path, wheel: Path) -> str:
    """The Python of a new environment that has the wheel and what it needs, and nothing else of what is here."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    python = str(folder / "bin" / "python")
    here = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-E", "-c", here], text=True).strip())
    for one in required(wheel).values():
        for path in tops(one):
            if not (site / path.name).exists():
                (site / path.name).symlink_to(path)
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    return python


def serves(python: str, data_dir: Path) -> None:
    told = "import tamis; print(tamis.__file__)"
    where = subprocess.check_output([python, "-E", "-c", told], cwd=data_dir.parent, text=True)
    assert str(data_dir.parent) in where
    with LiveServer(data_dir, python=python, PYTHONPATH="") as server, server.client() as client:
        assert client.get("health")["status"] == "OK"
        assert {stage["stage_id"] for stage in client.get("retrievers/stages")} >= {"feature_search", "limit"}


def test_the_wheel_serves_with_what_it_says_that_it_needs(wheel: Path, tmp_path: Path) -> None:
    """That the lock can be had and installs is what `make test` begins with."""
    needed = required(wheel)
    assert len(needed) < len(list(distributions())) / 2, "most of what is here is for tests and extras"
    serves(environment(tmp_path / "venv", wheel), tmp_path / "data")


@pytest.mark.slow
def test_the_wheel_and_the_lock_install_into_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.EnvBuilder(with_pip=True).create(tmp_path / "venv")
    python = str(tmp_path / "venv" / "bin" / "python")
    install: list[str] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "--requirement", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    serves(python, tmp_path / "data")


def test_the_wheel_carries_what_it_reads_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
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
