"""`tamis manifest`: a namespace as a file, round and back."""

from pathlib import Path

from tests.e2e.test_commands import invoke
from tests.live import LiveServer
from tests.llm_server import serving


def test_a_namespace_goes_to_a_file_and_a_changed_file_back(tmp_path: Path) -> None:
    file, broken = tmp_path / "shop.yaml", tmp_path / "broken.yaml"
    with (
        serving() as model,
        LiveServer(tmp_path / "data", TAMIS_LLM_BASE_URL=model.url, TAMIS_LLM_MODEL="m") as server,
    ):
        with server.client() as client:
            schema = {"properties": {"text": {"type": "text"}}}
            client.post("buckets", {"bucket_name": "goods-in", "bucket_schema": schema})
        invoke(server, "manifest", "export", "--to", file)
        assert "goods-in" in file.read_text()
        assert "valid: " in invoke(server, "manifest", "validate", file)
        invoke(server, "manifest", "diff", file)
        file.write_text(file.read_text().replace("goods-in", "goods-out"))
        assert "goods-out" in invoke(server, "manifest", "diff", file, status=2)
        invoke(server, "manifest", "apply", file, "--yes")
        invoke(server, "manifest", "diff", file)
        with server.client() as client:
            assert {"goods-in", "goods-out"} <= {
                one["bucket_name"] for one in client.post("buckets/list", {})["results"]
            }
        broken.write_text(file.read_text().replace("type: text", "type: nonsense"))
        assert "buckets[0].schema.properties.text.type: " in invoke(server, "manifest", "validate", broken, status=1)
        model.script.append({"manifest": "namespaces: [{name: written}]"})
        invoke(server, "manifest", "generate", "A place for notes", "--to", file, "--name", "notes")
        assert "1 namespaces" in invoke(server, "manifest", "validate", file)
        model.script.extend([{"manifest": "nothing: []"}] * 3)
        assert "nothing" in invoke(server, "manifest", "generate", "Nothing", status=1)
