"""`tamis executions trace`, `diff`, `export`, `import`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tamis.cli import show_diff, show_trace
from tamis.cli.addressing import AsJson, Retriever, execution_path, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import fail, out, plain_errors

Stage = Annotated[str | None, typer.Option("--stage", "-s", help="A stage's name, or its place from 0.")]
Side = Annotated[str | None, typer.Option(help="in or out: the documents of one side alone.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=0, max=1000, help="Documents of each list.")]
Offset = Annotated[int, typer.Option(min=0, help="The rank before the first document shown.")]


def trace(
    execution_id: str,
    stage: Stage = None,
    side: Side = None,
    limit: Limit = 10,
    offset: Offset = 0,
    retriever: Retriever = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Everything that is known of an execution; with --stage, a stage's documents in and out with every score."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        path = f"{execution_path(execution_id, retriever)}/trace"
        found = client.get(path, stage=stage, side=side, limit=limit, offset=offset)
    print_found(found, as_json, show_trace.trace)


def diff(
    a: Annotated[str, typer.Argument(help="An execution.")],
    b: Annotated[str, typer.Argument(help="Another one, of any retriever or none.")],
    stage: Stage = None,
    limit: Limit = 10,
    offset: Offset = 0,
    retriever: Retriever = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What differs between two executions, stage by stage, and why."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"{execution_path(a, retriever)}/diff/{b}", stage=stage, limit=limit, offset=offset)
    print_found(found, as_json, show_diff.diff)


def export(
    execution_id: str,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to; `-` prints it. Else EXECUTION_ID.tamis.json.")
    ] = None,
    documents: Annotated[bool, typer.Option(help="With the contents of the documents that it saw.")] = True,
    retriever: Retriever = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write an execution to one self-contained file."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        data = client.get_bytes(f"{execution_path(execution_id, retriever)}/export", documents=documents)
    if output == Path("-"):
        sys.stdout.buffer.write(data)
        return
    path = output or Path(f"{execution_id}.tamis.json")
    try:
        path.write_bytes(data)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
    out.print(f"{path}, {len(data):,} bytes: `tamis executions import {path}` shows it anywhere", highlight=False)


def import_file(
    file: Annotated[Path, typer.Argument(help="What `tamis executions export` wrote.")],
    store: Annotated[bool, typer.Option("--store", help="Put it into the server's store too.")] = False,
    stage: Stage = None,
    side: Side = None,
    limit: Limit = 10,
    offset: Offset = 0,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Check an exported execution and show it, without a server; --store keeps it in one."""
    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    if side not in (None, "in", "out"):
        fail("--side is in or out")
    with plain_errors():
        found = _read(data, stage, side, limit, offset)
        if store:
            with connect(url, key, namespace, data_dir) as client:
                client.post_bytes("retrievers/executions/import", data, "application/json")
    print_found(found, as_json, show_trace.trace)
    if store and not as_json:
        kept = found["execution_id"]
        out.print(f"stored: `tamis executions trace {kept}`", highlight=False)


def _read(data: bytes, stage: str | None, side: str | None, limit: int, offset: int) -> dict[str, Any]:
    from tamis.api.exports import parse_file
    from tamis.api.schemas.trace_wire import show_trace as wire
    from tamis.services.records.exports import imported
    from tamis.services.records.traces import TraceRequest, trace_of

    recorded = imported(parse_file(data))
    found = trace_of(recorded.execution, TraceRequest(stage, side, offset, limit))
    return wire(found).model_dump(mode="json")
