"""`tamis publish` and `tamis unpublish`: a retriever opened to everybody, and closed again."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import fail, out, plain_errors

_Retriever = Annotated[str, typer.Argument(help="The retriever's id or name.")]


def publish(
    retriever: _Retriever,
    name: Annotated[str, typer.Argument(help="Its public name: small letters, digits, hyphens.")],
    expose: Annotated[
        list[str] | None, typer.Option("--expose", "-e", help="A field that leaves; several times for several.")
    ] = None,
    ask: Annotated[list[str] | None, typer.Option("--ask", "-a", help="An input that visitors fill in.")] = None,
    title: Annotated[str | None, typer.Option("--title")] = None,
    display: Annotated[
        Path | None, typer.Option("--display", exists=True, dir_okay=False, help="A display_config, as JSON.")
    ] = None,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password here, which visitors then need.")
    ] = False,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="A site whose pages may ask: https://shop.example")
    ] = None,
    per_minute: Annotated[int | None, typer.Option("--per-minute", help="Requests of all visitors together.")] = None,
    credits_per_visitor: Annotated[
        float | None, typer.Option("--credits-per-visitor", help="What one visitor may spend in a day.")
    ] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Open a retriever to everybody. Without --display or --expose its own display_config says what leaves."""
    body: dict[str, Any] = {
        "public_name": name,
        "display_config": _display(display, title or name, expose or [], ask or []),
        "password": typer.prompt("Password", hide_input=True, confirmation_prompt=True) if password else None,
        "allowed_origins": origin or [],
        "rate_limit_config": {"requests_per_minute": per_minute, "visitor_credits_per_day": credits_per_visitor},
    }
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        answer = client.post(f"retrievers/{quote(retriever, safe='')}/publish", body)
    out.print(f"published as {name}: {answer['public_url']}", highlight=False, soft_wrap=True)
    out.print(f"public key {answer['public_api_key']}", highlight=False, soft_wrap=True)


def unpublish(
    retriever: _Retriever,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Close a published retriever at once. Its records stay; its public name is free again."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(f"retrievers/{quote(retriever, safe='')}/publish")
    out.print(f"unpublished {retriever}", highlight=False)


def _display(path: Path | None, title: str, exposed: list[str], asked: list[str]) -> Any:
    """None leaves it to the retriever's own."""
    if path is not None:
        try:
            return orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            fail(f"{path} is no JSON: {error}")
    if not exposed and not asked:
        return None
    if not exposed or not asked:
        fail("give both: --expose for the fields that leave, --ask for the inputs that visitors fill in")
    inputs = [{"field_name": one, "field_schema": {"type": "text"}, "label": one} for one in asked]
    return {"title": title, "exposed_fields": exposed, "inputs": inputs}
