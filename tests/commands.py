"""The `tamis` command as a newcomer types it, in this process: one of its own takes a second and more to import."""

import os
from unittest.mock import patch

from typer.testing import CliRunner

from tamis.cli import app, terminal
from tests.live import LiveServer, Room

_PIPED_COLUMNS = 200


def tamis(
    *arguments: object, server: LiveServer | Room | None = None, status: int = 0, given: str | None = None,
    **environment: str,
) -> str:  # fmt: skip
    """Run the command, check its exit status, return what it printed.

    server: whom it asks, as whom and in which namespace.  given: what is typed or piped into it.
    Of the settings around it, it is left where models are.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAMIS_")}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("TAMIS_MODEL")}
    if server is not None:
        kept |= {"TAMIS_API_KEY": server.key, "TAMIS_DATA_DIR": str(server.data_dir), "COLUMNS": "160"}
        kept |= {"TAMIS_NAMESPACE": server.namespace}
    kept |= environment
    # The consoles are made once, by whoever imports them first.
    columns = int(kept.get("COLUMNS", _PIPED_COLUMNS))
    terminal.out.width = terminal.err.width = columns
    with patch.dict(os.environ, kept, clear=True):
        done = CliRunner().invoke(app, [*map(str, arguments)], input=given)
    assert done.exit_code == status, f"{done.output}\n{done.exception!r}"
    return done.output
