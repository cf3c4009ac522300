"""A machine whose clock is set under a running server: everything is found, nothing is counted twice, nothing goes."""

import time
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_kill import add_objects, make_collection, query, wait_for_batch
from tests.faults.test_full_disk import http
from tests.faults.waiting import wait_for
from tests.live import LiveServer
from tests.servers import missing

DAY_S = 86_400


class Clock:
    """Of a process that `libfaketime` was loaded into; the monotonic one stays as it is."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)

    def set(self, offset_s: int) -> None:
        partial = self._file.with_suffix(".partial")
        partial.write_text(f"{offset_s:+d}\n")
        partial.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def _library() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        missing("libfaketime is not installed (apt-get install libfaketime)")
    return str(found[0])


def shows(client: httpx.Client, offset_s: int) -> bool:
    """Whether the server's clock, by the date of an answer, is so far from this machine's."""
    date = parsedate_to_datetime(client.get("../livez").headers["date"])
    return abs(date.timestamp() - time.time() - offset_s) < 60


@pytest.mark.slow  # its quick form is tests/services/test_patient_clock.py
def test_a_clock_that_is_set_back_and_ahead(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    with LiveServer(tmp_path / "data", **clock.environment) as server, server.client() as client:
        bucket, collection = make_collection(client)
        ids = add_objects(client, bucket, 5)
        batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
        client.post(f"buckets/{bucket}/batches/{batch}/submit")
        assert wait_for_batch(client, bucket, batch) == "COMPLETED"
        executions = []
        with http(server) as plain:
            for offset_s in (0, 30 * DAY_S, -30 * DAY_S, 3650 * DAY_S, DAY_S, 0):
                clock.set(offset_s)
                wait_for(partial(shows, plain, offset_s))
                # Which wakes who deletes what is too old.
                policy = {"record_policy": {"max_age_s": 10 * DAY_S}}
                plain.patch("namespaces/default", json=policy).raise_for_status()
                answer = plain.post("retrievers/execute", json=query(collection))
                assert answer.status_code == 200, "the key is good, limits do not hold"
                assert len(answer.json()["documents"]) == 5
                executions.append(answer.json()["execution_id"])
            listed = plain.post("retrievers/executions/list", json={}, params={"limit": 100}).json()
            assert {one["execution_id"] for one in listed["executions"]} == set(executions), "each once, none gone"
            assert listed["total"] == len(executions)
            starts = [one["timestamp"] for one in listed["executions"]]
            assert starts == sorted(starts, reverse=True)
            for execution in executions:
                record = plain.get(f"retrievers/executions/{execution}").json()
                assert 0 <= record["duration_ms"] < 60_000, "durations are no differences of the wall clock"
            assert plain.get(f"buckets/{bucket}/batches/{batch}").json()["status"] == "COMPLETED"
