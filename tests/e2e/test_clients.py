"""The Python clients against a live server, and against one whose answers get lost."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pandas
import pytest

from tamis import ApiError, AsyncClient, Client
from tamis.client.calls import part
from tamis.client.tables import json_lines, to_arrow
from tests.e2e.lossy import LossyProxy
from tests.e2e.tea_house import TEAS, furnish, stages
from tests.live import Room

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.fixture(scope="module")
def client(server: Room) -> Iterator[Client]:
    with Client(server.url, server.key, server.namespace) as client:
        furnish(client)
        assert client.documents.import_("teas", TEAS)["created"] == len(TEAS)
        yield client


@pytest.fixture
def lossy(server: Room, client: Client) -> Iterator[LossyProxy]:
    with LossyProxy(server.url) as proxy:
        yield proxy


def test_an_execution_is_its_documents_and_what_can_be_asked_about_it(client: Client) -> None:
    run = client.retrievers.execute("teas", inputs={"query": "black"})
    assert [document["title"] for document in run] == ["Black assam", "Smoked black souchong"]
    assert run.status == "completed"
    assert run[0].score > run[1].score
    assert run.retriever_id == client.retrievers.get("teas")["retriever_id"]
    trace = client.executions.trace(run)
    assert [stage["stage_name"] for stage in trace.data["stages"]] == ["taste", "named", "best"]
    other = client.retrievers.execute("teas", inputs={"query": "e"})
    diff = client.executions.diff(run, other)
    assert diff
    assert diff.cause == "inputs"
    missing = next(document for document in other if document["title"] not in {one["title"] for one in run})
    why = client.executions.why(run, document_id=missing.document_id)
    assert not why.returned
    assert why.stopped_at == "named"
    assert why.reason
    replay = client.executions.replay(run)
    assert replay.verdict == "identical"
    assert not client.executions.diff(run, replay.execution_id)


def test_a_pipeline_is_sent_whole_and_its_execution_is_nobodys(client: Client) -> None:
    run = client.retrievers.execute_anonymous(
        collection_identifiers=["teas"], inputs={"query": "black"}, stages=stages(limit=1)
    )
    assert [document["title"] for document in run] == ["Black assam"]
    assert run.retriever_id is None
    assert client.executions.get(run)["execution_mode"] == "anonymous"
    assert run.execution_id in {one["execution_id"] for one in client.executions.list()["executions"]}


@pytest.mark.parametrize("ask", ["execution", "trace", "diff", "why", "replay"])
def test_what_is_shown_in_a_notebook_stands_alone_and_escapes(client: Client, ask: str) -> None:
    run = client.retrievers.execute("teas", inputs={"query": "<b>"})
    asked: dict[str, Callable[[], Any]] = {
        "execution": lambda: run,
        "trace": lambda: client.executions.trace(run),
        "diff": lambda: client.executions.diff(run, client.retrievers.execute("teas", inputs={"query": "e"})),
        "why": lambda: client.executions.why(run, document_id=run[0].document_id),
        "replay": lambda: client.executions.replay(run, mode="live"),
    }
    drawn = asked[ask]()._repr_html_()
    assert "<script" not in drawn
    assert "http" not in drawn
    assert "url(" not in drawn
    assert "<b>Rooibos" not in drawn
    if ask == "execution":
        assert "&lt;b&gt;Rooibos&lt;/b&gt; &amp; honey" in drawn
    if ask in ("execution", "trace"):
        assert drawn.count("<svg") == 3
        assert 'aria-label="named: 5 seen, 1 kept"' in drawn


def test_documents_go_out_as_tables(client: Client) -> None:
    run = client.retrievers.execute("teas", inputs={"query": "black"})
    frame = run.to_pandas()
    assert list(frame["title"]) == ["Black assam", "Smoked black souchong"]
    assert list(frame["rank"]) == [1, 2]
    assert list(frame["score:taste"]) == [document["scores"]["taste"] for document in run]
    assert "root_object_id" not in frame


def test_documents_come_in_as_a_frame(client: Client) -> None:
    frame = pandas.DataFrame([{**tea, "title": f"{tea['title']} of May", "price": None} for tea in TEAS])
    frame["picked"] = pandas.Timestamp("2026-05-01")
    answer = client.documents.import_("teas", frame)
    assert (answer["created"], answer["failed"]) == (len(TEAS), 0)
    found = _of_may(client)
    assert {document["picked"] for document in found} == {"2026-05-01T00:00:00"}
    client.documents.batch_delete("teas", document_ids=[document["document_id"] for document in found])


def _of_may(client: Client) -> list[Any]:
    where = {"field": "title", "operator": "ends_with", "value": "of May"}
    return client.documents.list("teas", filters=where, limit=100)["results"] or []


def test_arrow_goes_out_and_comes_in() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    rows: list[dict[str, Any]] = [{"a": 1, "b": [1.5], "c": "x"}, {"a": 2, "c": 7}]
    table = to_arrow(rows)
    assert table.schema.field("c").type == pyarrow.string()
    assert b"".join(json_lines(table)) == b'{"a": 1, "b": [1.5], "c": "\\"x\\""}\n{"a": 2, "b": null, "c": "7"}\n'


@pytest.mark.parametrize("rows", [7, "text", {"a": 1}, [3], [{"a": object()}], [{"a": b"raw"}]])
def test_what_is_no_row_is_refused_before_anything_is_sent(rows: Any) -> None:
    with pytest.raises(TypeError):
        list(json_lines(rows))


async def test_one_that_awaits_gets_the_same(server: Room, client: Client) -> None:
    async with AsyncClient(server.url, server.key, server.namespace) as awaited:
        run = await awaited.retrievers.execute("teas", inputs={"query": "black"})
        waited = client.retrievers.execute("teas", inputs={"query": "black"})
        assert run.documents == waited.documents
        assert (await awaited.executions.trace(run)).data == client.executions.trace(run).data
        answer = await awaited.documents.import_("teas", ({**tea, "title": "of May"} for tea in TEAS))
        assert answer["created"] == len(TEAS)
        await awaited.documents.batch_delete("teas", document_ids=[one["document_id"] for one in _of_may(client)])
        with pytest.raises(ApiError) as refused:
            await awaited.retrievers.get("nobody")
        assert (refused.value.status, refused.value.code) == (404, "NotFoundError")
        assert refused.value.request_id


async def test_a_stream_is_followed_by_both(server: Room, client: Client) -> None:
    asked: dict[str, Any] = {"inputs": {"query": "black"}}
    waited = [event["event_type"] for event in client.retrievers.stream("teas", **asked)]
    assert waited == ["stage_start", "stage_complete"] * 3 + ["execution_complete"]
    async with AsyncClient(server.url, server.key, server.namespace) as awaited:
        async with aclosing(awaited.retrievers.stream("teas", **asked)) as events:
            assert [event["event_type"] async for event in events] == waited
        with pytest.raises(ApiError) as refused:
            await anext(awaited.retrievers.stream("nobody", **asked))
        assert refused.value.status == 404
    with pytest.raises(ApiError):
        next(client.retrievers.stream("nobody", **asked))


def test_what_gets_lost_is_sent_again_and_done_once(lossy: LossyProxy, server: Room) -> None:
    with Client(lossy.url, server.key, server.namespace) as client:
        lossy.plan.extend(["lose", 503, "lose"])
        made = client.buckets.create(bucket_name="once", bucket_schema={"properties": {}})
        assert len(lossy.keys) == 4
        assert len(set(lossy.keys)) == 1
        assert lossy.keys[0]
        assert [one["bucket_id"] for one in client.buckets.list(search="once")["results"]] == [made["bucket_id"]]


def test_the_callers_own_key_is_the_one_that_is_sent(lossy: LossyProxy, server: Room) -> None:
    asked: dict[str, Any] = {"bucket_name": "twice", "bucket_schema": {"properties": {}}, "idempotency_key": "mine"}
    with Client(lossy.url, server.key, server.namespace, retries=0) as client:
        assert client.buckets.create(**asked)["bucket_id"] == client.buckets.create(**asked)["bucket_id"]
        client.retrievers.execute("teas", inputs={"query": "black"})
        assert lossy.keys == ["mine", "mine", None]


@pytest.mark.parametrize(
    ("plan", "retry_after", "retries", "came"),
    [([503, 503], "0", 1, 2), ([503], "0", 0, 1), ([500], "0", 3, 1), ([503], "3600", 3, 1), ([422], "0", 3, 1)],
)
def test_what_cannot_help_is_not_tried(
    lossy: LossyProxy, server: Room, plan: list[int | str], retry_after: str, retries: int, came: int
) -> None:
    lossy.plan.extend(plan)
    lossy.retry_after = retry_after
    with Client(lossy.url, server.key, server.namespace, retries=retries) as client:
        with pytest.raises(ApiError) as refused:
            client.retrievers.get("teas")
        assert refused.value.status == plan[0]
        assert refused.value.retry_after_s == float(retry_after)
        assert len(lossy.keys) == came


async def test_a_post_that_may_have_been_done_is_not_sent_twice_without_a_key(lossy: LossyProxy, server: Room) -> None:
    with Client(lossy.url, server.key, server.namespace) as client:
        lossy.plan.append("lose")
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("buckets", {"bucket_name": "perhaps", "bucket_schema": {"properties": {}}})
        lossy.plan.extend([429, 429])
        client.post("buckets/list")
        assert lossy.keys == [None] * 4
    async with AsyncClient(lossy.url, server.key, server.namespace) as awaited:
        lossy.plan.extend(["lose", 429])
        await awaited.retrievers.list()
        assert len(lossy.keys) == 7


async def test_where_nobody_answers_the_error_says_where() -> None:
    nowhere = "http://127.0.0.1:9"
    with Client(nowhere, "sk_x", retries=0) as client, pytest.raises(httpx.ConnectError) as failed:
        client.retrievers.list()
    told = f"{nowhere}/v1/retrievers/list was not answered, attempts: 1"
    assert failed.value.__notes__ == [f"POST {told}"]
    async with AsyncClient(nowhere, "sk_x", retries=0) as awaited:
        with pytest.raises(httpx.ConnectError) as failed:
            await awaited.retrievers.list()
    assert failed.value.__notes__ == [f"POST {told}"]


def test_an_id_is_one_segment_of_a_path() -> None:
    assert part("a/../b?c") == "a%2F..%2Fb%3Fc"
    for bad in ("", ".", ".."):
        with pytest.raises(ValueError, match="no id"):
            part(bad)


def test_the_client_needs_nothing_of_the_server() -> None:
    code = (
        "import sys; from tamis import Client; Client('http://127.0.0.1:9');"
        "print([name for name in sys.modules if name.split('.')[0] in"
        " ('fastapi', 'pydantic', 'sqlalchemy', 'numpy', 'pandas', 'pyarrow', 'onnxruntime', 'typer')"
        " or name.startswith('tamis.') and not name.startswith('tamis.client')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_about_python_runs_as_it_is_printed(server: Room, client: Client) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    environment = {
        **os.environ,
        "TAMIS_URL": server.url,
        "TAMIS_API_KEY": server.key,
        "TAMIS_NAMESPACE": server.namespace,
    }
    command = [sys.executable, "-c", "\n".join(blocks)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for line in ("[2, 1]", "inputs", "identical", "execution_complete None", "1"):
        assert line in done.stdout.splitlines()


async def test_what_happened_is_told_past_servers_that_do_not_answer(
    lossy: LossyProxy, server: Room, client: Client
) -> None:
    bucket = client.post("buckets", {"bucket_name": "followed", "bucket_schema": {"properties": {}}})["bucket_id"]
    made = client.post(f"buckets/{bucket}/objects", {"metadata": {}})["object_id"]
    lossy.plan.extend([503, "lose", 502])
    with Client(lossy.url, server.key, server.namespace, retries=0) as behind:
        told = list(behind.changes(since="0-0", types=["object"], follow=False))
    assert (told[0]["event_type"], told[-1]["event_type"]) == ("stream.open", "stream.closed")
    assert told[-2]["resource_ids"] == [made]
    lossy.plan.extend(["lose", 503])
    async with AsyncClient(lossy.url, server.key, server.namespace, retries=0) as behind_too:
        assert [one async for one in behind_too.changes(since="0-0", types=["object"], follow=False)] == told
        lossy.plan.append(503)
        with pytest.raises(ApiError, match="503"):
            await anext(behind_too.changes(patience_s=-1))
