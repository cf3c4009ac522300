"""Which execution a command means, and how its answer is printed."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

Retriever = Annotated[str | None, typer.Option("--retriever", "-r", help="The saved retriever whose execution it is.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
TRACED = "each, stage by stage: tamis executions trace EXECUTION --retriever RETRIEVER"


def execution_path(execution_id: str, retriever: str | None) -> str:
    """Under /v1. retriever: id or name; None means an anonymous execution."""
    return f"{executions_path(retriever)}/{quote(execution_id, safe='')}"


def executions_path(retriever: str | None) -> str:
    """Under /v1, of all of them. retriever: as for one."""
    owner = f"{quote(retriever, safe='')}/" if retriever else ""
    return f"retrievers/{owner}executions"


def print_found(found: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """As JSON for programs, by `show` for people."""
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        show(found)
