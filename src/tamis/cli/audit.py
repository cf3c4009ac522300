"""`tamis audit`: who changed what, straight from the data directory."""

from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.desk import OrganizationOption, at_desk, span
from tamis.cli.plain import cell
from tamis.cli.terminal import show_table
from tamis.model.audit import AuditQuery

_WIDEST = 160


def audit(
    resource_type: Annotated[str | None, typer.Option("--type", help="As bucket, retriever, api_key.")] = None,
    resource_id: Annotated[str | None, typer.Option("--resource", help="Of one resource, by id.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="By one user's id, or `operator`.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="As bucket_deleted.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Of the last 12h, 7d and so on.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    organization: OrganizationOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show the audit log, newest first."""
    start = datetime.now(UTC) - span(since, "--since") if since else None
    query = AuditQuery(resource_type, resource_id, actor, action, start, limit=limit)
    page = at_desk(data_dir, organization, lambda desk: desk.audit.page(desk.principal, query))
    table = Table("when", "actor", "action", "resource", "changes")
    for event in page.items:
        changes = orjson.dumps(dict(event.changes)).decode() if event.changes else ""
        table.add_row(
            f"{event.at:%Y-%m-%d %H:%M:%S}", event.actor_id, event.action, cell(event.resource_id),
            cell(changes, _WIDEST),
        )  # fmt: skip
    show_table(table, ("changes",))
