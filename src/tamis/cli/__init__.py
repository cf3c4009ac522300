"""The `tamis` command: one file a group of commands, imported when it is asked for."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

COMMANDS = {
    "serve": "serve:serve",
    "demo": "demo:demo",
    "load": "load:load",
    "export": "export:export",
    "import": "own_vectors:import_documents",
    "search": "search:search",
    "events": "events:events",
    "publish": "publish:publish",
    "unpublish": "publish:unpublish",
    "chat": "chat:chat",
    "mcp": "mcp:mcp",
    "check": "check:check",
    "analytics": "analytics:analytics",
    "tune": "tune:tune",
    "learnt": "learnt:learnt",
    "doctor": "doctor:doctor",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "migrate-to": "migrate:migrate_to",
    "verify": "verify:verify",
    "audit": "audit:audit",
    "version": "version:version",
    "organization": "organization:app",
    "user": "user:app",
    "key": "key:app",
    "secret": "secret:app",
    "executions": "executions:app",
    "evaluations": "evaluations:app",
    "interactions": "interactions:app",
    "rollout": "rollout:app",
    "token": "token:app",
    "webhook": "webhook:app",
    "alert": "alert:app",
    "taxonomy": "taxonomy:app",
    "trigger": "trigger:app",
    "cluster": "cluster:app",
    "manifest": "manifest:app",
    "migration": "migration:app",
    "snapshot": "snapshot:app",
    "sync": "sync:app",
    "templates": "template:app",
    "index": "index:app",
}
"""Module and name of each command, or of the `Typer` of a group of them: all of them take half a second to import."""


class _Late(UserDict[str, Any]):
    """Commands by name, each imported when it is run or shown."""

    def __getitem__(self, name: str) -> Any:
        module, attribute = COMMANDS[name].split(":")
        found = getattr(import_module(f"tamis.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            group = get_group(found)
            group.name = name
            return group
        single = typer.Typer(add_completion=False)
        single.command(name)(found)
        return get_command(single)


class _Commands(TyperGroup):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Late(COMMANDS)


app = typer.Typer(
    name="tamis",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def tamis() -> None:
    """Multi-stage retrieval for mixed media that keeps the record of every execution."""
