"""`tamis search`: an anonymous execution from the command line."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import typer

from tamis.cli import show
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import fail, out, plain_errors
from tamis.client import Client
from tamis.model.hybrid import BY_MEANING, BY_WORDS, HYBRID_FUSION

_TEXT = "text_extractor@v1"
_WORDED = tuple(
    f"{kind}_extractor@" for kind in ("text", "document", "image", "audio", "video", "multimodal", "web_scraper")
)
"""Extractors whose documents have the features `embedding` and `lexical`."""


def search(
    query: Annotated[str, typer.Argument(help="The question, in words.")],
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="May be given several times.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", "-w", help="FIELD=VALUE; may be given several times.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500)] = 10,
    field: Annotated[list[str] | None, typer.Option("--field", "-f", help="Show this field too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the server's answer.")] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Show each stage as it ends; with --json, each event.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what the search is likely to do and cost; nothing runs.")
    ] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Search collections by meaning and by words, fused; the execution's id is printed with the documents."""
    conditions = [_condition(text) for text in where or []]
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        collections = collection or _every_collection(client)
        body = pipeline(query, collections, conditions, limit, _extractors(client, collections))
        if explain:
            _explained(client.post("retrievers/execute/explain", body), as_json)
            return
        answer = _followed(client, body, as_json) if stream else client.post("retrievers/execute", body)
    if as_json:
        if not stream:
            typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))
        return
    show.documents(answer["documents"], field or [])
    out.print(f"execution {answer['execution_id']}: `tamis executions show {answer['execution_id']}`", highlight=False)


def _explained(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(plan, option=orjson.OPT_INDENT_2))
    else:
        show.plan(plan)


def _followed(client: Client, body: dict[str, Any], as_json: bool) -> Any:
    """The last event, once all have been shown; Ctrl-C on the way cancels the execution."""
    for event in client.stream("retrievers/execute", body):
        if as_json:
            typer.echo(orjson.dumps(event))
        else:
            show.step(event)
        if event["event_type"] == "execution_error":
            fail(f"execution {event['execution_id']} failed: {event['error']}")
    return event


def pipeline(
    query: str,
    collections: list[str],
    conditions: list[dict[str, Any]],
    limit: int,
    extractors: Sequence[str] = (_TEXT,),
) -> dict[str, Any]:
    """An anonymous retriever: hybrid search, then the filter where there is one, then the cut.

    extractors: whose text features are asked, each as `name@version`.
    """
    searches = [
        {"feature_uri": f"mixpeek://{extractor}/embedding", "query": "{{INPUT.query}}", "top_k": 100, **how}
        for extractor in extractors
        for how in ({"weight": BY_MEANING}, {"lexical": True, "weight": BY_WORDS})
    ]
    fused = {"searches": searches, "final_top_k": 100, "fusion": HYBRID_FUSION}
    stages = [_stage("search", "filter", "feature_search", fused)]
    if conditions:
        stages.append(_stage("where", "filter", "attribute_filter", {"conditions": {"AND": conditions}}))
    stages.append(_stage("cut", "reduce", "limit", {"limit": limit}))
    return {
        "collection_identifiers": collections,
        "input_schema": {"query": {"type": "text", "required": True}},
        "inputs": {"query": query},
        "stages": stages,
        "pagination": {"method": "offset", "page_number": 1, "page_size": limit},
    }


def _stage(name: str, kind: str, stage_id: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"stage_name": name, "stage_type": kind, "config": {"stage_id": stage_id, "parameters": parameters}}


def _condition(text: str) -> dict[str, Any]:
    field, separator, value = text.partition("=")
    if not separator:
        fail(f"--where takes FIELD=VALUE, not {text!r}")
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        parsed = value
    return {"field": field, "operator": "eq", "value": parsed}


def _extractors(client: Client, collections: list[str]) -> list[str]:
    """Of these collections, those that words can ask; a server says what is wrong where there is none."""
    made_by = [client.get(f"collections/{collection}")["feature_extractor"] for collection in collections]
    found = [f"{one['feature_extractor_name']}@{one['version']}" for one in made_by]
    return [one for one in dict.fromkeys(found) if one.startswith(_WORDED)] or [_TEXT]


def _every_collection(client: Client) -> list[str]:
    found = [collection["collection_id"] for collection in client.pages("collections/list")]
    return found or fail("there is no collection yet: `tamis load PATH` makes one")
