"""The Dockerfile and the compose files: linted, and naming nothing that is not there."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tamis.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.prefix) / "bin"
SETTINGS = {f"TAMIS_{name.upper()}" for name in Settings.model_fields}
STORES_OWN = {"AWS_ENDPOINT", "AWS_ALLOW_HTTP", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_as_dockerfiles_are_written() -> None:
    run(BIN / "hadolint", DEPLOY / "Dockerfile")


def test_the_image_is_built_from_what_is_there_and_let_through() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
    assert set(re.findall(r"TAMIS_[A-Z_]+", dockerfile)) <= SETTINGS


@pytest.mark.parametrize("name", ["compose.yaml", "compose.cluster.yaml"])
def test_compose_files_are_of_the_specification(name: str) -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / name)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.cluster.yaml"])
def test_compose_files_give_settings_that_there_are(name: str) -> None:
    text = (DEPLOY / name).read_text()
    compose: dict[str, Any] = yaml.safe_load(text)
    service = compose["services"]["tamis"]
    assert set(service["environment"]) <= SETTINGS | STORES_OWN
    # No secret stands in the file: each comes from the shell.
    for key in ("TAMIS_ROOT_KEY", "TAMIS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "TAMIS_INDEX_API_KEY"):
        value = service["environment"].get(key)
        assert value is None or value.startswith("${"), key
    named = {volume.split(":")[0] for one in compose["services"].values() for volume in one.get("volumes", [])}
    assert named == set(compose["volumes"])
    published = [port for one in compose["services"].values() for port in one.get("ports", [])]
    assert published == ["127.0.0.1:8700:8700"]
