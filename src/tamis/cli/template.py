"""`tamis templates`: set-ups to begin with, and what is here made into one."""

import sys
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import fail, out, plain_errors, show_table
from tamis.client import Client
from tamis.services.manifests.yaml_text import write

app = typer.Typer(no_args_is_help=True, help="Set-ups to begin with, and what is here made into one.")


class Kind(StrEnum):
    NAMESPACE = "namespace"
    BUCKET = "bucket"
    COLLECTION = "collection"
    RETRIEVER = "retriever"
    TAXONOMY = "taxonomy"
    CLUSTER = "cluster"

    @property
    def path(self) -> str:
        plural = "taxonomies" if self is Kind.TAXONOMY else f"{self}s"
        return f"templates/{plural}"


_KIND = Annotated[Kind, typer.Option("--kind", help="What it makes.")]
_Id = Annotated[str, typer.Argument(help="As `tamis templates list` shows it.")]


@app.command("list")
def list_templates(
    kind: Annotated[Kind | None, typer.Option("--kind", help="Of this kind alone.")] = None,
    url: Url = None,
    key: Key = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What comes with the installation, and what was saved here."""
    table = Table("template", "makes", "name", "")
    with plain_errors(), connect(url, key, None, data_dir) as client:
        for one in (one for each in ([kind] if kind else Kind) for one in client.get(each.path)):
            table.add_row(one["template_id"], one["template_type"], plain(one["name"]), plain(one["description"]))
    show_table(table)


@app.command()
def show(template: _Id, url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Print what it makes, as YAML: of a namespace a manifest, which `tamis manifest apply` takes."""
    with plain_errors(), connect(url, key, None, data_dir) as client:
        found = _find(client, template)
    sys.stdout.write(write(found["configuration"]))


@app.command()
def use(
    template: _Id,
    name: Annotated[str, typer.Argument(help="As what it makes will be called.")],
    bucket: Annotated[list[str] | None, typer.Option("--bucket", help="That a collection draws from.")] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", help="That a retriever, cluster or collection is of; taxonomies: theirs=mine."),
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="In place of the template's.")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make what the template says: a namespace with all that is in it, or one resource in a namespace."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = _find(client, template)
        kind = Kind(found["template_type"])
        body = {f"{kind}_name": name, "description": description, **_places(kind, bucket or [], collection or [])}
        made = client.post(f"{kind.path}/{quote(template, safe='')}/instantiate", body)
    out.print(plain(f"{kind} {made[f'{kind}_name']}, {made[f'{kind}_id']}"), highlight=False)


@app.command()
def save(
    source: Annotated[str, typer.Argument(help="The resource, by name or id.")],
    name: Annotated[str, typer.Argument(help="As the template will be called.")],
    kind: _KIND = Kind.NAMESPACE,
    description: Annotated[str | None, typer.Option("--description", help="What it is good for.")] = None,
    category: Annotated[str | None, typer.Option("--category")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="For this key's user alone.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a template of what is here: how it is made, and none of its data."""
    body = {
        "template_name": name, "description": description, "category": category,
        "scope": "user" if mine else "organization",
    }  # fmt: skip
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post(f"{kind.path}/from-{kind}/{quote(source, safe='')}", body)
    out.print(f"template {made['template_id']}", highlight=False)


@app.command()
def delete(template: _Id, url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let a saved template go; what was made of it stays."""
    with plain_errors(), connect(url, key, None, data_dir) as client:
        found = _find(client, template)
        client.delete(f"{Kind(found['template_type']).path}/{quote(template, safe='')}")


def _find(client: Client, template: str) -> Any:
    """Of whichever kind. Ends the command where there is none."""
    for kind in Kind:
        for one in client.get(kind.path):
            if one["template_id"] == template:
                return one
    fail(f"no template {template!r}: `tamis templates list` shows those that there are")


def _places(kind: Kind, buckets: list[str], collections: list[str]) -> dict[str, Any]:
    """Where it is made, as the kind's request has it. Ends the command where a taxonomy's collections name no pair."""
    if kind is Kind.RETRIEVER:
        return {"collection_identifiers": collections}
    if kind is Kind.CLUSTER:
        return {"collection_ids": collections}
    if kind is Kind.COLLECTION:
        return {"bucket_ids": buckets or None, "collection_id": next(iter(collections), None)}
    if kind is Kind.TAXONOMY:
        pairs = [one.partition("=") for one in collections]
        return {"collection_config": {theirs if mine else "collection_id": mine or theirs for theirs, _, mine in pairs}}
    return {}
