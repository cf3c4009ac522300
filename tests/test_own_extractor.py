"""The documented extractor of a third party: held to the contract suite, built, installed and run in a real server."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tamis.client import ApiError, Client
from tamis.engine.plugins.extractor_plugins import extractor_plugins
from tamis.engine.plugins.plugins import code_version
from tamis.engine.ports.extraction import Extractor, SourceItem
from tamis.engine.ports.inference import Models
from tamis.errors import ConfigurationError
from tamis.testing.extractor_contract import ExtractorContract
from tests.extraction_world import NoModels
from tests.live import LiveServer

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own-extractor"
TEXTS = {
    "one": "the cat sat on the mat and the dog sat by the door",
    "other": "the ship lay at the quay and the crew slept by the mast",
    "third": "i was as i was for you and he is as he is for i",
}


def documented() -> Extractor:
    spec = importlib.util.spec_from_file_location("tamis_style", EXAMPLE / "tamis_style.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Extractor = module.StyleExtractor()
    return made


class TestTheDocumentedExtractor(ExtractorContract):
    @pytest.fixture
    def extractor(self) -> Extractor:
        return documented()

    @pytest.fixture
    def models(self) -> Models:
        return NoModels()

    @pytest.fixture
    def good(self) -> Sequence[SourceItem]:
        return [SourceItem(name, {"text": text}) for name, text in TEXTS.items()]

    @pytest.fixture
    def bad(self) -> Sequence[SourceItem]:
        return [SourceItem("bad", {"text": "words"}), SourceItem("empty", {"text": ""})]


def test_the_page_shows_the_example_that_is_run() -> None:
    page = (ROOT / "docs" / "own-extractors.md").read_text()
    code = (EXAMPLE / "tamis_style.py").read_text()
    assert f"```python\n{code}```" in page
    assert f"```toml\n{(EXAMPLE / 'pyproject.toml').read_text()}```" in page
    assert len(code.splitlines()) <= 40


def test_the_example_is_built_installed_and_run_by_a_server(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(EXAMPLE)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), wheel]
    subprocess.run(pip, check=True)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    with LiveServer(tmp_path / "data", PYTHONPATH=path) as server, server.client() as client:
        listed = {one["feature_extractor_id"]: one for one in client.get("collections/features/extractors")}
        assert "least" in listed["style_extractor_v1"]["parameter_schema"]["properties"]
        assert [listed[one]["source"] for one in ("style_extractor_v1", "text_extractor_v1")] == ["custom", "builtin"]
        documents = _ingested(client)
        assert {one["small_words"] for one in documents} == {5, 6, 15}
        execution_id, found = _alike(client, _of("one", documents))
        assert [one["name"] for one in found] == ["one", "other", "third"]
        trace = client.get(f"retrievers/executions/{execution_id}/trace")
        assert "; tamis-style 1.0.0 (" in trace["code_version"]
        with pytest.raises(ApiError, match="only its extractor makes such vectors") as refused:
            client.post("retrievers/execute", _search({"input_mode": "text", "value": "the cat"}))
        assert refused.value.status == 422


def _ingested(client: Client) -> list[dict[str, Any]]:
    schema = {"text": {"type": "text"}, "name": {"type": "string"}}
    bucket = client.post("buckets", {"bucket_name": "texts", "bucket_schema": {"properties": schema}})["bucket_id"]
    extractor = {
        "feature_extractor_name": "style",
        "version": "v1",
        "input_mappings": {"text": "text"},
        "field_passthrough": [{"source_path": "name"}],
    }
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": "style", "source": source, "feature_extractor": extractor})
    blobs = [
        {"name": name, "blobs": [{"property": "text", "type": "text", "data": text}]} for name, text in TEXTS.items()
    ]
    ids = [one["object_id"] for one in client.post(f"buckets/{bucket}/objects/batch", {"objects": blobs})]
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    deadline = time.monotonic() + 30
    while client.get(f"buckets/{bucket}/batches/{batch}")["status"] != "COMPLETED" and time.monotonic() < deadline:
        time.sleep(0.05)
    listed: list[dict[str, Any]] = client.post("collections/style/documents/list", {})["results"]
    return listed


def _of(name: str, documents: list[dict[str, Any]]) -> str:
    return next(str(one["document_id"]) for one in documents if one["name"] == name)


def _search(query: dict[str, Any]) -> dict[str, Any]:
    searches = [{"feature_uri": "mixpeek://style@v1/style", "query": query}]
    config = {"stage_id": "feature_search", "parameters": {"searches": searches}}
    return {"collection_identifiers": ["style"], "inputs": {}, "stages": [{"stage_name": "alike", "config": config}]}


def _alike(client: Client, document_id: str) -> tuple[str, list[dict[str, Any]]]:
    query = {"input_mode": "document", "document_ref": {"document_id": document_id}}
    answer = client.post("retrievers/execute", _search(query))
    return answer["execution_id"], answer["documents"]


def install(folder: Path, name: str, value: str, distribution: str) -> None:
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tamis.extractors]\n{name} = {value}\n")


BROKEN = {
    "no_such_module:Extractor": "No module named",
    "json:loads": "no class",
    "json:JSONEncoder": "has no name",
    "tamis_style:StyleExtractor": "its name is 'style_extractor', the entry point's is 'odd_extractor'",
}


@pytest.mark.parametrize("value", BROKEN)
def test_a_package_that_is_broken_is_named(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "odd_extractor", value, "odd-extractors")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match=f"'odd-extractors'.*{BROKEN[value]}.*TAMIS_EXTRACTOR_PLUGINS"):
        extractor_plugins([])
    assert extractor_plugins([], ["others"]) == []


def test_a_name_that_is_taken_is_refused_with_both_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "style_extractor", "tamis_style:StyleExtractor", "tamis-style")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match="an extractor 'style_extractor': 'tamis' and 'tamis-style'"):
        extractor_plugins(["style_extractor"])
    (plugin,) = extractor_plugins(["text_extractor"], ["tamis_style"])
    assert plugin.extractor.name == "style_extractor"
    assert f"; {plugin.package}" in code_version([], ["style_extractor", "text_extractor"])
