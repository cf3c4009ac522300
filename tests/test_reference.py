"""A stage, a setting, an error or a route that is not documented fails here."""

from pathlib import Path

import pytest
from scripts.client_code import SERVED, client_files
from typer.main import get_group

from tamis.cli import app
from tamis.settings import Settings
from tests.conformance.served import served_openapi
from tests.reference import DOCS, error_classes, errors_page, stages_page

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.parametrize(("page", "text"), [("stages.md", stages_page), ("errors.md", errors_page)])
def test_generated_pages_are_fresh(page: str, text: object) -> None:
    assert callable(text)
    assert (DOCS / page).read_text() == text(), "stale: run `make contract` and commit docs/"


def test_the_python_client_is_fresh() -> None:
    written = {path.name: path.read_text() for path in SERVED.glob("*.py")}
    assert written == client_files(), "stale: run `make contract` and commit src/tamis/client/served/"


def test_every_setting_is_in_the_readme() -> None:
    missing = [name for name in Settings.model_fields if f"TAMIS_{name.upper()}`" not in README]
    assert missing == []


def test_every_error_says_what_it_means() -> None:
    assert [kind.__name__ for kind in error_classes() if not (kind.__doc__ or "").strip()] == []


def test_every_command_has_help_and_is_in_the_readme() -> None:
    group = get_group(app)
    silent = [name for name, command in group.commands.items() if not (command.help or "").strip()]
    assert silent == []
    assert [name for name in group.commands if f"tamis {name}" not in README] == []


def test_every_route_says_what_it_does() -> None:
    silent = [
        f"{method} {path}"
        for path, operations in served_openapi()["paths"].items()
        for method, operation in operations.items()
        if not operation.get("description") and not operation.get("summary")
    ]
    assert silent == []
