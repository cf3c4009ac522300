"""`tamis version`."""

import typer

from tamis import __version__


def version() -> None:
    """Print the version."""
    typer.echo(__version__)
