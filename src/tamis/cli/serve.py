"""`tamis serve`. The server itself is imported when it is to run: the other commands need not wait for it."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from tamis.settings import Settings


def serve(
    host: Annotated[str, typer.Option(envvar="TAMIS_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TAMIS_PORT", help="Port to listen on; 0 takes a free one.")] = 8700,
    data_dir: Annotated[Path, typer.Option(envvar="TAMIS_DATA_DIR", help="Where everything is kept.")] = Path(
        "./tamis-data"
    ),
) -> None:
    """Run the server. SIGTERM or Ctrl-C ends it cleanly."""
    # What is imported stays: looking through it again and again is a fifth of a start. See `settle_memory`.
    gc.disable()
    from tamis.cli.serving import run
    from tamis.telemetry.logs import configure_logging

    settings = Settings(host=host, port=port, data_dir=data_dir)
    configure_logging(settings.log_level, settings.log_format)
    run(settings)
