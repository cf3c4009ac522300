"""The `tamis` command: one file a group of commands."""

import typer

from tamis import __version__
from tamis.cli import (
    analytics,
    audit,
    backup,
    check,
    demo,
    doctor,
    evaluations,
    executions,
    index,
    interactions,
    key,
    load,
    mcp,
    migrate,
    organization,
    own_vectors,
    publish,
    rollout,
    search,
    secret,
    serve,
    token,
    tune,
    user,
    verify,
    webhook,
)

app = typer.Typer(
    name="tamis",
    help="Multi-stage retrieval for mixed media that keeps the record of every execution.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("load")(load.load)
app.command("import")(own_vectors.import_documents)
app.command("search")(search.search)
app.command("publish")(publish.publish)
app.command("unpublish")(publish.unpublish)
app.command("mcp")(mcp.mcp)
app.command("check")(check.check)
app.command("analytics")(analytics.analytics)
app.command("tune")(tune.tune)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("migrate-to")(migrate.migrate_to)
app.command("verify")(verify.verify)
app.command("audit")(audit.audit)
app.add_typer(organization.app, name="organization")
app.add_typer(user.app, name="user")
app.add_typer(key.app, name="key")
app.add_typer(secret.app, name="secret")
app.add_typer(executions.app, name="executions")
app.add_typer(evaluations.app, name="evaluations")
app.add_typer(interactions.app, name="interactions")
app.add_typer(rollout.app, name="rollout")
app.add_typer(token.app, name="token")
app.add_typer(webhook.app, name="webhook")
app.add_typer(index.app, name="index")


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
