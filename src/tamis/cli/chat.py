"""`tamis chat`: a conversation with a language model over retrievers, on a terminal."""

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.text import Text

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import err, out, plain_errors

if TYPE_CHECKING:
    from tamis.client.served.sessions import Sessions

_LEAVING = ("/exit", "/quit")


def chat(
    retriever: Annotated[
        list[str] | None,
        typer.Option("--retriever", "-r", help="A retriever that it may run; else all that only read."),
    ] = None,
    tool: Annotated[
        list[str] | None, typer.Option("--tool", help="A tool that it may use; else those that read.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="The model; else the server's default.")] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="Ask this once, and leave.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="Go on with a session, by its id.")] = None,
    max_credits: Annotated[float | None, typer.Option("--max-credits", help="For the whole session.")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Talk with a language model that runs retrievers, and see what its answers rest on. /exit leaves."""
    with plain_errors(), connect(url, key, namespace, data_dir, timeout_s=660) as client:
        if session is None:
            config = {"retrievers": retriever or [], "available_tools": tool or [], "model": model}
            quotas = None if max_credits is None else {"max_credits": max_credits}
            body = {"agent_config": config, "quotas": quotas}
            session = str(client.post("agents/sessions", body)["session_id"])
        else:
            client.get(f"agents/sessions/{session}")
        err.print(Text(f"session {session}", style="dim"))
        whole = True
        for said in [message] if message is not None else _lines():
            whole = _exchange(client.sessions, session, said)
    if message is not None and not whole:
        raise SystemExit(1)


def _lines() -> Iterable[str]:
    """What is typed, or piped in, until it ends."""
    is_typed = sys.stdin.isatty()
    while True:
        if is_typed:
            out.print("> ", end="")
        line = sys.stdin.readline()
        if not line or line.strip() in _LEAVING:
            return
        if line.strip():
            yield line.strip()


def _exchange(sessions: "Sessions", session: str, said: str) -> bool:
    """Whether there was a whole answer. Ctrl-C lets the answer go: the server cancels it."""
    asked = _followed(sessions.stream_message(session, content=said))
    while asked.confirmation is not None:
        confirmation = asked.confirmation
        inputs = orjson.dumps(confirmation["inputs"]).decode()
        question = plain(f"{confirmation['tool_name']} {inputs}: do it?")
        approved = typer.confirm(question, default=False)
        asked = _followed(sessions.stream_confirmation(session, confirmation["confirmation_id"], approved=approved))
    return asked.is_whole


class _Outcome:
    confirmation: Mapping[str, Any] | None = None
    is_whole: bool = False


def _followed(events: Iterable[Mapping[str, Any]]) -> _Outcome:
    found = _Outcome()
    for event in events:
        kind = event["event_type"]
        if kind == "confirmation_required":
            found.confirmation = event
        elif kind == "message":
            found.is_whole = True
            _show_answer(event)
        elif line := _line(kind, event):
            err.print(Text("  " + plain(line), style="red" if kind == "error" else "dim"))
    return found


def _line(kind: str, event: Mapping[str, Any]) -> str | None:
    """One line of what happens; None for what needs none."""
    if kind == "tool_call":
        return f"{event['tool_name']} {orjson.dumps(event['inputs']).decode()}"
    if kind == "retriever_execution":
        return (
            f"{event['documents_returned']} documents, execution {event['execution_id']} of {event['retriever_name']}"
        )
    if kind == "tool_result" and not event["success"]:
        return str(event["output"])
    if kind == "error":
        return f"no answer ({event.get('status', 'ended')}): {event['message']}"
    if kind == "done":
        used = f"{event.get('tokens_used', 0)} tokens, {event.get('credits_used', 0):g} credits"
        return f"{event.get('latency_ms', 0) / 1000:.1f} s, {used}"
    return None


def _show_answer(event: Mapping[str, Any]) -> None:
    for line in str(event["content"]).splitlines():
        out.print(Text(plain(line) if line.strip() else ""))
    for one in event["citations"]:
        out.print(Text("  " + plain(f"[{one['label']}] {one['document_id']} (execution {one['execution_id']})")))
    if event["unknown_citations"]:
        listed = ", ".join(event["unknown_citations"])
        err.print(Text("  " + plain(f"cited without having been shown, and dropped: {listed}"), style="yellow"))
