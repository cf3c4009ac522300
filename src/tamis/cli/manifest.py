"""`tamis manifest`: a namespace as a file, compared and applied."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import err, fail, out, plain_errors, show_table

app = typer.Typer(no_args_is_help=True, help="A namespace as a file: exported, checked, compared, applied.")

_DIFFERS = 2
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, allow_dash=True, help="The manifest; - reads it.")]


@app.command()
def export(
    to: Annotated[Path | None, typer.Option("--to", help="A file to write; else it is printed.")] = None,
    name: Annotated[str, typer.Option("--name", help="What the manifest calls itself.")] = "exported-manifest",
    as_json: Annotated[bool, typer.Option("--json", help="JSON, which apply reads too.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write down what a namespace is made of; never its objects, documents and secrets."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        text = client.get_bytes("manifest/export", manifest_name=name, format="json" if as_json else "yaml")
    if to is None:
        sys.stdout.write(text.decode())
    else:
        to.write_bytes(text)


@app.command()
def generate(
    description: Annotated[str, typer.Argument(help="What comes in, and how it is to be found.")],
    to: Annotated[Path | None, typer.Option("--to", help="A file to write; else it is printed.")] = None,
    name: Annotated[str, typer.Option("--name", help="What the manifest calls itself.")] = "generated-manifest",
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Have the server's language model write one; nothing is made of it. Ends with 1 where it is at fault."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.post("manifest/generate", {"description": description, "manifest_name": name})
    if to is None:
        sys.stdout.write(found["manifest"])
    else:
        to.write_text(found["manifest"])
    for error in found["errors"]:
        err.print(plain(error), highlight=False, soft_wrap=True)
    if not found["valid"]:
        raise SystemExit(1)


@app.command()
def validate(
    file: _File,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Every fault with its line. Ends with 1 where there is one."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.manifests.validate(_text(file))
    for error in found["errors"]:
        out.print(plain(error), highlight=False, soft_wrap=True)
    if not found["valid"]:
        raise SystemExit(1)
    out.print("valid: " + ", ".join(f"{count} {section}" for section, count in found["resources"].items()))


@app.command()
def lint(
    file: _File,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", help="A rule to leave out; several times for several.")
    ] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What is allowed and rarely meant. Ends with 1 where something is an error."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.manifests.lint(_text(file), skip_rules=skip)
    for one in found["results"]:
        where = f"{one['severity']}: line {one['line']}, {one['location']}"
        said = f"{where}: {one['message']}; {one['suggestion']} [{one['code']}]"
        out.print(plain(said), highlight=False, soft_wrap=True)
    if not found["valid"]:
        raise SystemExit(1)


@app.command()
def diff(
    file: _File,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What applying it would do. Ends with 2 where that is anything."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.manifests.diff(_text(file))
    rows = [*found["to_create"], *found["differences"], *found["in_system_only"]]
    if rows:
        _show([(one["action"], one["resource_type"], one["name"], one.get("details")) for one in rows])
    if found["to_create"] or found["differences"]:
        raise SystemExit(_DIFFERS)
    out.print("nothing differs")


@app.command()
def apply(
    file: _File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    lose: Annotated[
        list[str] | None,
        typer.Option(
            "--lose", help="What may be deleted or made anew, as collections/notes; several times for several."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make what is there as the manifest says. The plan is shown first; a second time changes nothing."""
    text = _text(file)
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        planned = client.manifests.apply(text, dry_run=True, lose=lose)
        changes = [one for one in planned["resources"] if one["status"] != "skipped"]
        _show_plan(changes)
        if not planned["success"]:
            raise SystemExit(1)
        if dry_run or not changes:
            return
        if not yes and not typer.confirm("Do this?"):
            raise SystemExit(1)
        client.manifests.apply(text, lose=lose)
    out.print("applied")


def _show_plan(changes: list[Any]) -> None:
    if not changes:
        out.print("nothing differs")
        return
    said = {"created": "create", "updated": "update", "replaced": "replace", "deleted": "delete", "failed": "refused"}
    rows = [
        (said[one["status"]], one["resource_type"], one["name"], one.get("error") or one.get("details"))
        for one in changes
    ]
    _show(rows)


def _show(rows: list[tuple[str, str, str, str | None]]) -> None:
    table = Table("", "kind", "name", "")
    for action, kind, name, details in rows:
        table.add_row(action, kind, plain(name), plain(details or ""))
    show_table(table)


def _text(file: Path) -> str:
    """Ends the command where it is no text."""
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        fail(f"{file} is not UTF-8: {error.reason} at byte {error.start}")
