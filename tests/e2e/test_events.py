"""What happens in a namespace, followed across a server that is killed, and from the command line."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx

from tamis.client import BrokenStreamError, Client
from tests.faults.waiting import wait_for
from tests.live import LiveServer

BEFORE, AFTER = 30, 10


class Reader(threading.Thread):
    """Follows until it has what it wants, or its server is gone; goes on after what it saw last."""

    def __init__(self, server: LiveServer, since: str | None, seen: list[dict[str, Any]]) -> None:
        super().__init__()
        self._server, self.since, self.seen = server, since, seen
        self.start()

    def run(self) -> None:
        gone = (httpx.TransportError, BrokenStreamError)
        with self._server.client() as client, suppress(*gone), closing(self._events(client)) as events:
            for event in events:
                self.since = event["id"]
                self.seen.append(event)
                if sum(one["count"] for one in self.seen) == BEFORE + AFTER:
                    return

    def _events(self, client: Client) -> Any:
        return client.changes(since=self.since, types=["object.created"], patience_s=0)


def test_a_kill_loses_no_event_and_tells_none_twice(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    acknowledged: list[str] = []
    with LiveServer(tmp_path / "data") as server:
        with server.client() as client:
            bucket = client.post("buckets", {"bucket_name": "b", "bucket_schema": {"properties": {}}})["bucket_id"]
            reader = Reader(server, None, seen)
            wait_for(lambda: len(seen) == 1)  # it has opened
            killer = threading.Timer(0.15, server.kill_group)
            killer.start()
            with suppress(httpx.TransportError):
                for number in range(BEFORE):
                    made = client.post(f"buckets/{bucket}/objects", {"metadata": {"n": number}})
                    acknowledged.append(made["object_id"])
            killer.join()
        reader.join(60)
        server.start()
        with server.client() as client:
            there = {one["object_id"] for one in client.pages(f"buckets/{bucket}/objects/list")}
            assert there >= set(acknowledged)
            missing = BEFORE + AFTER - len(there)
            reader = Reader(server, reader.since, seen)
            for number in range(missing):
                made = client.post(f"buckets/{bucket}/objects", {"metadata": {"n": number}})
                there.add(made["object_id"])
        reader.join(60)
        assert not reader.is_alive()
    told = [one for one in seen if one["event_id"]]
    assert sorted(one["resource_ids"][0] for one in told) == sorted(there), "each once"
    assert len({one["event_id"] for one in told}) == len(told)


def started(command: list[str]) -> "subprocess.Popen[str]":
    """As a terminal starts it: what runs in the background, as a test may, ignores Ctrl-C, and what it starts does."""
    was = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, was)


def test_the_command_follows_until_it_is_stopped(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server, server.client() as client:
        bucket = client.post("buckets", {"bucket_name": "b", "bucket_schema": {"properties": {}}})["bucket_id"]
        made = [client.post(f"buckets/{bucket}/objects", {"metadata": {"n": 1}})["object_id"]]
        command = [sys.executable, "-m", "tamis", "events", "--since", "0-0", "--url", server.url, "--key", server.key]
        for more, read in (((), str), (("--json",), json.loads)):
            running = started([*command, *more])
            assert running.stdout is not None
            lines: list[Any] = []
            while len(lines) < len(made) + (1 if more else 0):
                lines.append(read(running.stdout.readline()))
            made.append(client.post(f"buckets/{bucket}/objects", {"metadata": {"n": 2}})["object_id"])
            lines.append(read(running.stdout.readline()))
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=30)
            assert (running.returncode, errors) == (0, "")
            assert made[-1] in str(lines[-1])
            assert "object.created" in str(lines[-1])
        listed = subprocess.run([*command, "--once"], capture_output=True, text=True, check=True).stdout.splitlines()
        assert [next(one for one in made if one in line) for line in listed] == made
        refused = subprocess.run([*command, "--types", "objects"], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "query.types.0" in refused.stderr
