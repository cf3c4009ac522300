"""Real servers for tests, from what the operating system has installed; each on a free loopback port of its own.

Absent ones skip their tests and say how to get them; with TAMIS_REQUIRE_SERVERS=1 they fail.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_START_TIMEOUT_S = 60
_POSTGRES = Path("/usr/lib/postgresql")


def missing(reason: str) -> None:
    """Skip the test, or fail it where servers are required."""
    if os.environ.get("TAMIS_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and TAMIS_REQUIRE_SERVERS=1")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server with an empty data directory, as `postgresql+psycopg://...` of its first database."""
    binaries = _postgres_binaries()
    if binaries is None:
        missing("PostgreSQL is not installed (apt-get install postgresql)")
        return
    # PostgreSQL refuses to run as root, and its other user cannot enter a root-owned pytest directory.
    home = Path(tempfile.mkdtemp(prefix="tamis-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        data, port = home / "data", _free_port()
        _run([str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "tamis", "-E", "UTF8", "--no-sync"])
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p {port}"
        control = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", str(_START_TIMEOUT_S)]
        _run([*control, "-l", str(home / "log"), "-o", options, "start"])
        try:
            yield f"postgresql+psycopg://tamis@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _postgres_binaries() -> Path | None:
    found = sorted(_POSTGRES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _run(command: list[str]) -> None:
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    # Output goes to a file: the server inherits it, and a pipe would be waited on for as long as it runs.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False)
        output.seek(0)
        assert done.returncode == 0, output.read().decode(errors="replace")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_port(port: int, timeout_s: float = _START_TIMEOUT_S) -> None:
    """Until something listens there. Raises: TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
