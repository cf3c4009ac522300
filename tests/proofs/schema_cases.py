"""Requests made from the served OpenAPI by schemathesis, in a process of its own against a real server."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.two_tenants import Tenant
from tests.live import LiveServer

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
_ROOT = Path(__file__).parents[2]
# What the contract has and Tamis does not answers 501 in the envelope; everything else from 500 on is a fault.
_CONFIGURATION = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "501"]
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """examples: for each operation and phase.  phases: of schemathesis, by commas."""

    seed: int
    examples: int
    phases: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """cases: requests that were judged.  faults: what schemathesis printed, empty where nothing was wrong."""

    cases: int
    faults: str


def drive(server: LiveServer, folder: Path, effort: Effort, stock: Tenant | None = None) -> Outcome:
    """Try every operation. stock: what identifiers in paths are of; nothing is deleted then, so that they stay good."""
    folder.mkdir(parents=True, exist_ok=True)
    fixed = "".join(f"{name} = {json.dumps(value)}\n" for name, value in (stock.ids if stock else {}).items())
    # A stream that is followed has no end.
    (folder / "schemathesis.toml").write_text(f"[parameters]\nfollow = false\n{fixed}\n{_CONFIGURATION}")
    namespace = stock.namespace_id if stock else "default"
    report = folder / "report.json"
    # fmt: off
    command = [
        sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"{server.url}/openapi.json",
        "--url", server.url,
        "--header", f"Authorization: Bearer {server.key}", "--header", f"X-Namespace: {namespace}",
        "--checks", ",".join(CHECKS), "--phases", effort.phases,
        "--max-examples", str(effort.examples), "--seed", str(effort.seed),
        "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off",
        "--request-timeout", "60", "--report-json-path", str(report),
    ]
    # fmt: on
    if stock:
        command += ["--exclude-method", "DELETE"]
    # What a server warns of on its own behalf is not what is judged here.
    environment = {
        **os.environ,
        "COLUMNS": "160",
        "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONWARNINGS": "ignore",
        "SCHEMATHESIS_HOOKS": "tests.proofs.schema_hooks",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Outcome(_cases(report), "" if done.returncode == 0 else done.stdout + done.stderr)


def _cases(report: Path) -> int:
    return int(json.loads(report.read_text())["test_cases"]["generated"]) if report.exists() else 0
