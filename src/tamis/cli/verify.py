"""`tamis verify`."""

import asyncio
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.terminal import err, out, plain_errors
from tamis.settings import Settings


def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Also read every byte: hashes, records, vectors.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make again what is derived; the server must be stopped.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is found as JSON.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Find where record, documents, files and index disagree. Exit status 1 where something is (still) wrong."""
    from tamis.wiring.verification import verify as look

    with plain_errors():
        report = asyncio.run(look(Settings(data_dir=data_dir), deep, repair))
    if as_json:
        typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    else:
        _show(report, repair)
    raise SystemExit(1 if report.left else 0)


def _show(report: Any, repair: bool) -> None:
    left = set(report.left)
    for fault in report.faults:
        state = (
            ("mended" if fault not in left else "not to be mended")
            if repair
            else ("derived" if fault.is_derived else "")
        )
        mark = f" [dim]({state})[/]" if state else ""
        out.print(
            f"[bold]{fault.kind}[/] {escape(fault.where)}: {escape(fault.problem)}{mark}",
            highlight=False,
            soft_wrap=True,
        )
    for fault in (fault for fault in report.left if fault not in set(report.faults)):
        out.print(
            f"[bold]{fault.kind}[/] {escape(fault.where)}: {escape(fault.problem)}", highlight=False, soft_wrap=True
        )
    if report.skipped:
        err.print(f"not looked at: {report.skipped}", highlight=False, markup=False, soft_wrap=True)
    if not report.faults:
        out.print(
            "record, files and index agree" if report.skipped is None else "nothing wrong was found", highlight=False
        )
