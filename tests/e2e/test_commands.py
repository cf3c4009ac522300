"""The commands as a newcomer types them, against a real server."""

import json
import sqlite3
import tempfile
from pathlib import Path

import httpx
import pytest
from PIL import Image
from typer.testing import CliRunner

from tamis.cli import app, media_samples
from tamis.client import Client
from tests.commands import tamis
from tests.live import LiveServer, Room
from tests.media_samples import tone, write_sound, write_video

NOTES = {
    "retries.md": "We decided to retry failed requests three times with exponential backoff and jitter.",
    "lunch.txt": "The team eats lunch at noon; soup on Mondays, dumplings on Thursdays.",
    "deep/storage.md": "Records are written to disk before the answer leaves the server.",
    ".hidden/secret.md": "Nobody loads what is hidden.",
    "picture.png": "not text",
}


def test_load_search_and_read_the_record(server: Room, tmp_path: Path) -> None:
    for name, text in NOTES.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    loaded = tamis("load", tmp_path / "notes", server=server)
    assert "3 objects, 3 documents in collection notes, 0 failed" in loaded

    answer = json.loads(tamis("search", "what happens when a request fails?", "-c", "notes", "--json", server=server))
    assert answer["documents"][0]["path"] == "retries.md"
    shown = tamis("search", "soup", "-c", "notes", "-w", "suffix=.txt", "-f", "path", server=server)
    assert "lunch.txt" in shown
    assert "storage.md" not in shown

    plan = json.loads(tamis("search", "soup", "-c", "notes", "--explain", "--json", server=server))
    assert [one["estimated_output"] for one in plan["execution_plan"]] == [3, 3]
    assert "likely: 0.01 credits" in tamis("search", "soup", "-c", "notes", "--explain", server=server)

    listed = tamis("executions", "list", server=server)
    assert answer["execution_id"] in listed
    record = json.loads(tamis("executions", "show", answer["execution_id"], "--json", server=server))
    assert record["status"] == "completed"
    assert record["stages_completed"] == record["total_stages"] == 2
    assert json.loads(record["inputs"]) == {"query": "what happens when a request fails?"}
    drawn = tamis("executions", "show", answer["execution_id"], server=server)
    assert record["inputs_hash"] in drawn
    assert "█" in drawn, "the sieve"

    first = answer["documents"][0]["document_id"]
    seen = json.loads(tamis("executions", "of", "notes", first, "--json", server=server))
    assert [(one["execution_id"], one["rank"], one["stopped_at"]) for one in seen["executions"]][-1] == (
        answer["execution_id"], 1, None,
    )  # fmt: skip
    assert (seen["looked_at"], seen["next_cursor"]) == (len(seen["executions"]), None)
    one = tamis("executions", "of", "notes", first, "-n", "1", server=server)
    assert "1 of 1 looked through; look on with --after" in one


def test_load_takes_each_file_for_what_is_in_it(server: Room, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    (folder / "deep").mkdir(parents=True)
    media_samples.make(folder, ["image", "document"])
    (folder / "harvest.png").rename(folder / "deep" / "harvest.dat")
    (folder / "notes.txt").write_text("The river rose overnight.")
    (folder / "junk.bin").write_bytes(bytes(range(256)) * 20)
    (folder / "empty.png").touch()
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    Image.new("RGB", (1300, 1200), "white").save(folder / "poster.bmp")  # more than goes inline
    write_video(folder / "film.mp4", [(220, 60, 60), (20, 80, 20), (100, 100, 250)], "libx264")
    write_sound(folder / "tone.ogg", tone(300, 1.0), "libopus")
    loaded = tamis("load", folder, server=server)
    assert "1 objects, 1 documents in collection mixed, 0 failed" in loaded
    assert "7 objects, 6 documents in collection mixed-image, 1 failed" in loaded
    assert "1 source failed, the first because: the file is no picture" in " ".join(loaded.split())
    assert "1 objects, 1 documents in collection mixed-audio, 0 failed" in loaded
    assert "1 objects, 3 documents in collection mixed-video, 0 failed" in loaded
    assert "2 objects, 4 documents in collection mixed-document, 0 failed" in loaded
    with server.client() as client:
        shown = client.post("collections/mixed-image/documents/list", {"filters": {"path": "deep/harvest.dat"}})
        assert [one["path"] for one in shown["results"]] == ["deep/harvest.dat"]
        shown = client.post("collections/mixed-image/documents/list", {"filters": {"path": "poster.bmp"}})
        [poster] = shown["results"]
        assert (poster["width"], poster["height"], poster["size_bytes"]) == (1300, 1200, 4_680_054)
    answer = json.loads(tamis("search", "how much does a tour cost?", "-c", "mixed-document", "--json", server=server))
    assert answer["documents"][0]["path"] == "observatory.pdf"
    again = tamis("load", folder / "deep" / "harvest.dat", "--name", "mixed", server=server)
    assert "1 objects, 7 documents in collection mixed-image" in again  # another path, "harvest.dat"
    again = tamis("load", folder / "deep" / "harvest.dat", "--name", "mixed", server=server)
    assert "1 objects, 7 documents in collection mixed-image" in again


def test_load_json_lines_and_say_what_is_wrong_with_them(server: Room, tmp_path: Path) -> None:
    good = tmp_path / "cities.jsonl"
    rows = [
        {"text": "Tamale lies in the north of Ghana.", "rank": 4},
        {"text": "Kumasi is a market town.", "rank": 2.5},
    ]
    good.write_text("\n".join(map(json.dumps, rows)))
    assert "2 objects, 2 documents in collection cities" in tamis("load", good, server=server)
    found = json.loads(tamis("search", "market", "-c", "cities", "-w", "rank=2.5", "--json", server=server))
    assert [document["rank"] for document in found["documents"]] == [2.5]

    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "fine"}\n{"words": "no text"}\n')
    assert "bad.jsonl:2: expected an object with the text field 'text'" in tamis("load", bad, server=server, status=1)


def test_documents_bring_vectors_of_their_own(server: Room, tmp_path: Path) -> None:
    lines = tmp_path / "own.jsonl"
    rows = [{"document_id": f"doc_{number:032x}", "n": number, "vectors": {"look": [number, 1]}} for number in range(3)]
    lines.write_text("\n".join(map(json.dumps, rows)))
    assert "3 documents created" in tamis("import", lines, "-c", "own", server=server)
    assert "3 replaced" in tamis("import", lines, "-c", "own", server=server)
    whole = tamis("export", "own", server=server)
    for kind in ("jsonl", "parquet"):
        tamis("export", "own", "-o", tmp_path / f"out.{kind}", server=server)
        assert "3 replaced" in tamis("import", tmp_path / f"out.{kind}", "-c", "own", server=server)
    assert (tmp_path / "out.jsonl").read_text() == tamis("export", "own", server=server) == whole
    part = tmp_path / "out.jsonl.part"
    part.write_text(whole[: len(whole) // 2])
    tamis("export", "own", "-o", tmp_path / "out.jsonl", "--resume", server=server)
    assert ((tmp_path / "out.jsonl").read_text(), part.exists()) == (whole, False)
    assert "goes into a file" in tamis("export", "own", "--format", "parquet", server=server, status=1)
    assert "not found" in tamis("export", "nowhere", server=server, status=1)
    lines.write_text('{"vectors": {"look": [1]}}\n')
    assert "line 1: vectors.look: look has 2 dimensions, not 1" in tamis(
        "import", lines, "-c", "own", server=server, status=1
    )
    lines.write_text("nothing\n")
    assert "the first line is not JSON" in tamis("import", lines, "-c", "owner", server=server, status=1)


def test_keys_come_and_go_beside_the_running_server(server: Room) -> None:
    secret = tamis("key", "create", "reader", "-p", "read", server=server).strip()
    assert secret.startswith("sk_")
    listing = tamis("key", "list", server=server)
    assert "reader" in listing
    assert secret not in listing
    assert "completed" not in tamis("executions", "list", "--status", "failed", server=server, TAMIS_API_KEY=secret)
    assert "lacks the permission" in tamis(
        "load", __file__, "--name", "refused", server=server, status=1, TAMIS_API_KEY=secret
    )
    tamis("key", "revoke", "reader", server=server)
    assert "'nobody' was not found" in tamis("key", "revoke", "nobody", server=server, status=1)
    with server.client() as client:
        assert client.get("health")["status"] == "OK"


def test_errors_are_a_line_that_helps(server: Room, tmp_path: Path) -> None:
    assert "no API key" in tamis("executions", "list", status=1)
    assert "no server answers at http://127.0.0.1:9; start one" in tamis(
        "executions", "list", "--url", "http://127.0.0.1:9", "--key", "sk_x", status=1
    )
    assert "not found" in tamis("executions", "show", "exec_nothing", server=server, status=1)
    assert "unknown API key" in tamis("executions", "list", server=server, status=1, TAMIS_API_KEY="sk_wrong")
    assert "start the server once" in tamis("key", "list", "--data-dir", tmp_path / "empty", status=1)
    assert "another Tamis server is using" in tamis("index", "rebuild", server=server, status=1)


def test_doctor_says_what_is_here(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "stock.db").execute("CREATE TABLE stock(n)")
    given = {name: {"url": f"sqlite:///{tmp_path}/{name}.db"} for name in ("stock", "gone")}
    report = tamis("doctor", COLUMNS="200", TAMIS_SQL_CONNECTIONS=json.dumps(given))
    assert "qdrant-edge-py" in report
    assert "all-MiniLM-L6-v2/model.onnx" in report
    assert "database stock: answers" in report
    assert "database gone: the database cannot be opened" in report


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    report = tamis("doctor", status=1, COLUMNS="200", TAMIS_MODEL_CACHE_DIR=str(tmp_path))
    assert "is missing: put model.onnx and tokenizer.json into the folder" in report


def test_the_index_is_made_again_from_the_record(tmp_path: Path) -> None:
    notes = tmp_path / "one.jsonl"
    notes.write_text(json.dumps({"text": "The sieve lets fine grains pass."}))
    with LiveServer(tmp_path / "data") as live:
        tamis("load", notes, server=live)
        live.stop()
        assert "one: 1 documents" in tamis("index", "rebuild", server=live)
        live.start()
        found = json.loads(tamis("search", "grains", "-c", "one", "--json", server=live))
        assert len(found["documents"]) == 1


def test_the_demo_runs_the_main_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shown = tamis("demo", "--limit", "40", COLUMNS="140", TMPDIR=str(tmp_path))
    assert "40 documents in" in shown
    assert "GET /v1/retrievers/executions/exec_" in shown
    assert "inputs_hash" in shown
    assert "stages_completed  3" in " ".join(shown.split("\n")).replace("   ", "  ")
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.slow
def test_the_demo_of_media_answers_from_each_medium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shown = tamis("demo", "--media", COLUMNS="140", TMPDIR=str(tmp_path), TAMIS_MODEL_THREADS="1")
    for kind in ("image", "document", "audio", "video"):
        assert f"{kind}_extractor: " in shown
    assert "expected" not in shown, "every question finds what it is about"
    assert "page 3" in shown
    assert "4.0-8.0 s" in shown
    assert "GET /v1/retrievers/executions/exec_" in shown
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_retriever_is_opened_and_closed_and_a_token_signed(server: Room) -> None:
    listing = {"field": "path", "operator": "contains", "value": "{{INPUT.word}}"}
    stages = [{"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": listing}}]
    with Client(server.url, server.key) as client:
        body = {"retriever_name": "finder", "stages": stages, "input_schema": {"word": {"type": "text"}}}
        retriever_id = client.post("retrievers", body)["retriever_id"]
    shown = tamis("publish", "finder", "corner", "--expose", "path", "--ask", "word", server=server)
    public_key = shown.split("public key ")[1].strip()
    asked = {"headers": {"X-Public-API-Key": public_key}, "json": {"inputs": {"word": "lunch"}}}
    path = f"{server.url}/v1/public/retrievers/corner/execute"
    assert httpx.post(path, **asked).status_code == 200  # type: ignore[arg-type]
    assert "unpublished" in tamis("unpublish", "finder", server=server)
    assert httpx.post(path, **asked).status_code == 404  # type: ignore[arg-type]

    nothing = json.dumps({"field": "path", "operator": "eq", "value": "nowhere"})
    token = tamis("token", "sign", "--filter", nothing, "--retriever", retriever_id, server=server).strip()
    with Client(server.url, token) as client:
        assert client.post(f"retrievers/{retriever_id}/execute", {"inputs": {"word": "l"}})["documents"] == []
    assert "filter" in tamis("token", "sign", "--filter", "{}", server=server, status=1)
    assert "--expires" in tamis("token", "sign", "--expires", "soon", server=server, status=1)


def invoke(server: LiveServer, *arguments: object, status: int = 0) -> str:
    """The command in this process: what it prints."""
    environment = {"TAMIS_API_KEY": server.key, "TAMIS_DATA_DIR": str(server.data_dir), "COLUMNS": "200"}
    done = CliRunner().invoke(app, [str(one) for one in arguments], env=environment)
    assert done.exit_code == status, done.output
    return done.output


def make_judges(server: LiveServer) -> None:
    """Three retrievers of one collection, of which one finds nothing, and an execution of the first."""
    uri = "mixpeek://text_extractor@v1/embedding"
    found = {"searches": [{"feature_uri": uri, "query": "{{INPUT.query}}", "top_k": 5}], "final_top_k": 5}
    stage = {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": found}}
    skip = {"stage_name": "none", "config": {"stage_id": "attribute_filter", "parameters": {
        "field": "path", "operator": "eq", "value": "nowhere",
    }}}  # fmt: skip
    schema = {"query": {"type": "text", "required": True}}
    with Client(server.url, server.key) as client:
        body = {"retriever_name": "judge", "collection_identifiers": ["judged"], "input_schema": schema}
        client.post("retrievers", {**body, "stages": [stage]})
        client.post("retrievers/judge/execute", {"inputs": {"query": "soup"}})
        for name, stages in (("judge-more", [stage]), ("judge-none", [stage, skip])):
            client.post("retrievers", {**body, "retriever_name": name, "stages": stages})


def roll_out(server: LiveServer) -> None:
    """A candidate beside `judge`, taken back; what its executions came to."""
    begun = invoke(server, "rollout", "start", "judge", "--candidate", "judge-none", "--shadow", 1)
    assert "version 2 beside version 1: answers 0%, is the shadow of 100% of the rest" in begun
    assert "compared" in invoke(server, "rollout", "show", "judge", "--dataset", "small")
    assert "judge runs version 3" in invoke(server, "rollout", "back", "judge")
    made = [line.split()[0] for line in invoke(server, "rollout", "versions", "judge").splitlines() if "judge@" in line]
    assert made == ["judge@3", "judge@2", "judge@1"]
    assert "version 3 goes on answering" in invoke(server, "rollout", "start", "judge")
    invoke(server, "rollout", "back", "judge")
    ran = json.loads(invoke(server, "analytics", "judge", "--json"))["slow"][0]["execution_id"]
    assert ran in invoke(server, "executions", "list", "--retriever", "judge")
    assert ran in invoke(server, "executions", "show", ran, "--retriever", "judge")
    assert "one of retriever 'judge'" in invoke(server, "executions", "show", ran, status=1)
    assert "nothing of retriever 'judge' is rolled out" in invoke(server, "rollout", "promote", "judge", status=1)
    told = invoke(server, "analytics", "judge")
    assert "7 executions, 0 failed" in told
    assert "soup" in told
    assert json.loads(invoke(server, "analytics", "judge", "--slow", 0, "--json"))["slow"] == []
    assert "retriever 'nobody' was not found" in invoke(server, "analytics", "nobody", status=1)


def test_evaluate_compare_and_check(server: LiveServer, tmp_path: Path) -> None:
    for number, text in enumerate(NOTES.values()):
        (tmp_path / "judged").mkdir(exist_ok=True)
        (tmp_path / "judged" / f"d{number}.txt").write_text(text)
    invoke(server, "load", tmp_path / "judged", "--name", "judged")
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "q0", "text": "what happens when a request fails"}\n{"_id": "q1", "text": "when do they eat soup"}\n'
    )
    (tmp_path / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0.txt\t2\nq1\td1.txt\t1\n")
    make_judges(server)
    imported = invoke(
        server, "evaluations", "import", "small", tmp_path / "queries.jsonl", tmp_path / "test.tsv",
        "--document-field", "path",
    )  # fmt: skip
    assert "2 queries" in imported
    ended = json.loads(invoke(server, "evaluations", "run", "judge", "small", "-k", 1, "--json"))
    assert ended["metrics_by_k"]["1"]["ndcg"] == 1.0
    invoke(server, "evaluations", "rankings", "judge", ended["evaluation_id"], tmp_path / "run.txt")
    invoke(server, "evaluations", "export", "small", tmp_path / "out", "--format", "trec")
    scored = invoke(server, "evaluations", "score", tmp_path / "out" / "qrels.txt", tmp_path / "run.txt", "-k", 1)
    assert "1.0000" in scored
    assert ended["evaluation_id"] in invoke(server, "evaluations", "list", "judge")
    assert "1.0000 @1" in invoke(server, "evaluations", "list", "judge")
    passed = invoke(server, "check", "--baseline", "judge@1", "--candidate", "judge-more", "--dataset", "small")
    assert "no regression" in passed
    worse = ("check", "--baseline", "judge@1", "--candidate", "judge-none@1")
    fell = invoke(server, *worse, "--dataset", "small", status=3)
    assert "ndcg@10 falls from 1.0000 to 0.0000" in fell
    assert "-1.0000  q1  when do they eat soup" in fell
    printed = next(line.split()[1:] for line in fell.splitlines() if "tamis executions diff" in line)
    assert "definition" in invoke(server, *printed), "the command that is shown shows the difference"
    assert "none shown is worse by ndcg@10" in passed
    emptied = invoke(server, *worse, "--last", 5, status=3)
    assert "find nothing any more" in emptied
    assert "overlap 0.00  soup" in emptied
    roll_out(server)
    assert "expected RETRIEVER@VERSION" in invoke(server, *worse[:-1], "judge@x", status=1)
    assert "0 interactions of ann" in invoke(server, "interactions", "forget", "ann")
