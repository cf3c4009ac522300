"""`tamis demo`: the main job on real input, from nothing to the record read back."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from tamis.cli import media_demo, show
from tamis.cli.ingest import ensure_bucket, ensure_collection, ingest
from tamis.cli.search import pipeline
from tamis.cli.stdlib_corpus import Docstring, docstrings
from tamis.cli.terminal import fail, out, plain_errors
from tamis.client import Client
from tamis.storage.datadir import read_address

QUESTION = "How do I run a command and capture its output?"
_START_TIMEOUT_S = 120


def demo(
    question: Annotated[str, typer.Argument(help="What to ask.")] = QUESTION,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server running.")] = False,
    limit: Annotated[int | None, typer.Option(help="Load only so many docstrings.", min=1)] = None,
    media: Annotated[bool, typer.Option("--media", help="Charts, documents, sounds and a video instead.")] = False,
) -> None:
    """Load this Python's own documentation, ask it a question, and read the execution's record back.

    With --media: make a small set of charts, documents, sounds and a video, and ask each medium a question.
    """
    data_dir = Path(tempfile.mkdtemp(prefix="tamis-demo-"))
    key = f"sk_{secrets.token_hex(20)}"
    server = _start(data_dir, key)
    try:
        with plain_errors():
            url = _wait(server, data_dir)
            with Client(url, key, "default") as client:
                if media:
                    media_demo.run(client)
                else:
                    _run(client, question, limit)
        _explain(url, key, keep, media)
        if keep:
            server.wait()
    except KeyboardInterrupt:
        out.print("stopping", highlight=False)
    finally:
        _stop(server)
        shutil.rmtree(data_dir, ignore_errors=True)


def _start(data_dir: Path, key: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tamis", "serve", "--port", "0", "--data-dir", str(data_dir)]
    environment = {**os.environ, "TAMIS_ROOT_KEY": key}
    with (data_dir / "server.log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603


def _wait(server: subprocess.Popen[bytes], data_dir: Path) -> str:
    with out.status("starting the server"):
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and server.poll() is None:
            url = read_address(data_dir)
            if url and _is_ready(url):
                out.print(f"Tamis runs at {url}, data in {data_dir}", highlight=False)
                return url
            time.sleep(0.1)
    fail(f"the server did not start:\n{(data_dir / 'server.log').read_text()[-2000:]}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _run(client: Client, question: str, limit: int | None) -> None:
    corpus = list(docstrings())[:limit]
    out.print(f"{len(corpus)} docstrings of Python {sys.version.split()[0]}'s standard library", highlight=False)
    schema = {"text": "text", "name": "string", "module": "string", "package": "string", "kind": "string"}
    bucket_id = ensure_bucket(client, "python-stdlib", {**schema, "lines": "integer"})
    collection_id = ensure_collection(
        client, "python-docs", bucket_id, ["name", "module", "package", "kind", "lines"]
    )  # fmt: skip
    done = ingest(client, bucket_id, collection_id, map(Docstring.fields, corpus), len(corpus))
    rate = done.documents / done.seconds
    out.print(f"{done.documents} documents in {done.seconds:.1f} s, {rate:.0f} a second\n", highlight=False)
    answer = client.post("retrievers/execute", _question(question, collection_id))
    out.print(f"[bold]{question}[/]", highlight=False)
    show.documents(answer["documents"], ["name", "kind", "lines"])
    execution_id = answer["execution_id"]
    out.print(f"\n[bold]GET /v1/retrievers/executions/{execution_id}[/]", highlight=False)
    show.record(client.get(f"retrievers/executions/{execution_id}"))


def _question(question: str, collection_id: str) -> dict[str, Any]:
    """Hybrid search, then only what has more than a few lines of source, then the best five."""
    conditions: list[dict[str, Any]] = [
        {"field": "kind", "operator": "in", "value": ["function", "class"]},
        {"field": "lines", "operator": "gte", "value": 5},
    ]
    return pipeline(question, [collection_id], conditions, limit=5)


def _explain(url: str, key: str, keep: bool, media: bool) -> None:
    argument = "'--media --keep'" if media else "--keep"
    out.print("\nTo go on:" if keep else f"\nTo go on, run `make demo ARGS={argument}` and then:", highlight=False)
    shown = key if keep else "<the key it prints>"
    shown_url = url if keep else "<the address it prints>"
    search = '.venv/bin/tamis search "parse a date" --where kind=function --field name'
    lines = (
        f"export TAMIS_URL={shown_url} TAMIS_API_KEY={shown}",
        *(() if media else (search,)),
        ".venv/bin/tamis executions list",
        ".venv/bin/tamis load path/to/your/files",
        f"open {shown_url}/docs",
    )
    for line in lines:
        out.print(f"    {line}", highlight=False, soft_wrap=True)
    if keep:
        out.print("\nThe server runs until Ctrl-C.", highlight=False)


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
