"""The documented stage of a third party, built, installed and run in a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tamis.engine.plugins.plugins import add_plugins, code_version
from tamis.engine.stage import Stage
from tamis.engine.stages import STAGES
from tamis.engine.stages.limit import Limit
from tamis.errors import ConfigurationError
from tamis.executions.causes import Cause
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.services.runs.execution_runs import RunOptions
from tamis.settings import Settings
from tamis.wiring.stages import add_stage_plugins
from tests.engine.stages.shop import PRINCIPAL
from tests.live import LiveServer
from tests.retrieval_world import opened, specs, stage

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own-stage"


def install(folder: Path, name: str, value: str, distribution: str) -> None:
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tamis.stages]\n{name} = {value}\n")


def test_the_page_shows_the_example_that_is_run() -> None:
    page = (ROOT / "docs" / "own-stages.md").read_text()
    code = (EXAMPLE / "tamis_long_enough.py").read_text()
    assert f"```python\n{code}```" in page
    assert f"```toml\n{(EXAMPLE / 'pyproject.toml').read_text()}```" in page
    assert len(code.splitlines()) < 35


def test_the_example_is_built_installed_and_run_by_a_server(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(EXAMPLE)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), wheel]
    subprocess.run(pip, check=True)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    with LiveServer(tmp_path / "data", PYTHONPATH=path) as server, server.client() as client:
        listed = {one["stage_id"]: one for one in client.get("retrievers/stages")}
        assert listed["long_enough"]["category"] == "filter"
        assert "least" in listed["long_enough"]["parameter_schema"]["properties"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [("no_such_module:Stage", "No module named"), ("json:loads", "no class"), ("json:JSONEncoder", "has no id")],
)
def test_a_package_that_is_broken_is_named(
    value: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "odd", value, "odd-stages")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry: dict[str, type[Stage]] = {}
    with pytest.raises(ConfigurationError, match=f"'odd-stages'.*{reason}.*TAMIS_STAGE_PLUGINS"):
        add_plugins(registry)
    assert add_plugins(registry, ["others"]) == []
    assert not registry


def test_a_name_that_is_taken_is_refused_with_both_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "limit", "tamis.engine.stages.limit:Limit", "other-limits")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match="'limit': 'tamis' and 'other-limits'"):
        add_plugins({"limit": Limit})


def test_the_operator_leaves_every_package_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "long_enough", "tamis_long_enough:LongEnough", "tamis-long-enough")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TAMIS_STAGE_PLUGINS", "")
    add_stage_plugins(Settings())
    assert "long_enough" not in STAGES


async def test_edited_code_under_the_same_version_is_a_drift_by_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "long_enough", "tamis_long_enough:LongEnough", "tamis-long-enough")
    source = (EXAMPLE / "tamis_long_enough.py").read_text()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def registry(code: str) -> dict[str, type[Stage]]:
        (tmp_path / "tamis_long_enough.py").write_text(code)
        sys.modules.pop("tamis_long_enough", None)
        stages = dict(STAGES)
        add_plugins(stages, ["tamis_long_enough"])
        return stages

    everything = stage("attribute_filter", field="text", operator="exists", value=True)
    async with opened(tmp_path) as world:
        before = world.restarted(registry(source))
        stages = specs(everything, stage("long_enough", least=14))
        executed = await before.executions.execute_anonymous(PRINCIPAL, stages, {}, RunOptions())
        assert sorted(hit.id for hit in executed.documents) == ["p1", "p2", "p4", "p5"]
        same = await before.replays.replay(PRINCIPAL, executed.execution_id, ReplayMode.FROZEN)
        assert same.verdict is Verdict.IDENTICAL
        after = world.restarted(registry(source.replace("len(text) >= ", "len(text) > 20 + ")))
        edited = await after.replays.replay(PRINCIPAL, executed.execution_id, ReplayMode.FROZEN)
    assert edited.verdict is Verdict.DRIFTED
    assert edited.first_divergence is not None
    assert edited.first_divergence.stage_index == 1
    assert edited.first_divergence.cause is Cause.CODE


def test_a_record_knows_the_packages_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "long_enough", "tamis_long_enough:LongEnough", "tamis-long-enough")
    source = (EXAMPLE / "tamis_long_enough.py").read_text()
    monkeypatch.syspath_prepend(str(tmp_path))
    versions = []
    for text in (source, source + "\n# edited\n"):
        (tmp_path / "tamis_long_enough.py").write_text(text)
        sys.modules.pop("tamis_long_enough", None)
        add_plugins({}, ["tamis_long_enough"])
        versions.append(code_version(["limit", "long_enough"]))
    assert "; tamis-long-enough 1.0 (" in versions[0]
    assert versions[0] != versions[1]
    assert code_version(["limit"]) == versions[0].split(";")[0]
