"""`tamis evaluations judge`: a language model grades what waits in a data set's pools."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import out, plain_errors


def judge(
    dataset: str,
    model: Annotated[str | None, typer.Option(help="Else the operator's default.")] = None,
    provider: Annotated[str | None, typer.Option(help="That the operator set up.")] = None,
    depth: Annotated[int, typer.Option(min=1, max=1000, help="The first documents of each pool.")] = 10,
    greatest: Annotated[int | None, typer.Option(min=1, max=3, help="Grade of the scale; else as people's.")] = None,
    guideline: Annotated[str | None, typer.Option(help="What the model is to heed besides.")] = None,
    compared: Annotated[int, typer.Option(min=0, max=1000, help="Of people's judgements, to compare.")] = 50,
    documents: Annotated[int, typer.Option(min=1, max=10_000, help="To be judged, at most.")] = 500,
    credits: Annotated[float | None, typer.Option(help="For all of it; must be said where models cost some.")] = None,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="For all of it.")] = 120.0,
    again: Annotated[bool, typer.Option("--again", help="Also what a model judged before.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Have a language model grade pooled documents that nobody judged, and say how far it agrees with people."""
    body = {
        "provider": provider, "model": model, "depth": depth, "greatest_grade": greatest, "guideline": guideline,
        "compared": compared, "max_documents": documents, "max_credits": credits, "max_seconds": seconds,
        "again": again,
    }  # fmt: skip
    with plain_errors(), connect(url, key, namespace, data_dir, timeout_s=seconds + 60) as client:
        found = client.post(f"retrievers/evaluations/datasets/{quote(dataset, safe='')}/judge-by-model", body)
    print_found(found, as_json, _show)


def _show(found: Mapping[str, Any]) -> None:
    told = f"{found['judged']} documents of {found['dataset_name']} are graded by {found['model']}"
    out.print(Text(plain(f"{told}, {found['credits']:g} credits")), highlight=False)
    for count, what in (
        (found["failed"], "questions had no answer that fits"),
        (found["gone"], "pooled documents are there no more"),
        (found["left"], f"are left: {found['stopped'] or 'the model did not answer'}"),
    ):
        if count:
            out.print(Text(plain(f"{count} {what}")), highlight=False)
    agreement = found["agreement"]
    if agreement is None:
        out.print("people judged nothing to compare it with: judge some, before you believe it", highlight=False)
        return
    kappas = ", ".join(
        f"{name} {'not defined' if value is None else f'{value:.3f}'}"
        for name, value in (("kappa", agreement["kappa"]), ("weighted kappa", agreement["weighted_kappa"]))
    )
    told = f"of {agreement['documents']} that people judged it graded {agreement['same']:.0%} the same"
    out.print(f"{told}; {kappas}", highlight=False)
