"""`tamis learnt`: what interactions taught a retriever's fusions, and forgetting it."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import out, plain_errors


def learnt(
    retriever: str,
    user: Annotated[str | None, typer.Option(help="What is known of this person, too.")] = None,
    segment: Annotated[str | None, typer.Option(help="What is known of this group, too.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget all of it: begin anew as written.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What interactions taught the fusions of a retriever, as it counts today."""
    path = f"retrievers/{quote(retriever, safe='')}/learned-fusion"
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        if reset:
            client.delete(path)
        found = client.get(path, user_id=user, segment=segment)
    print_found(found, as_json, _show)


def _show(found: Any) -> None:
    if not found["learnt"]:
        out.print("no stage of it learns: give a feature_search the fusion 'learned'")
    for one in found["learnt"]:
        out.print(Text(plain(f"{one['stage_name']}, {one['level']}: {one['interactions']:g} interactions")))
        for name, known in one["searches"].items():
            out.print(Text(plain(f"  {name}: {known['agreement']:.3f} of {known['pairs']:g} pairs")))
