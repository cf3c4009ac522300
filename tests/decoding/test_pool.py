"""Whatever a decoder does, the caller gets an answer or a reason, and the next file is decoded."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tamis.decoding.pool import DecoderPool
from tamis.errors import DecodeError
from tests.decoding.troubles import Seen, Trouble

TASK = "tests.decoding.troubles:decode_trouble"


def decode(decoding: DecoderPool, file: Path, kind: str = "none", timeout_s: float | None = None) -> Seen:
    with decoding.folder() as work:
        return decoding.decode(TASK, file, Trouble(kind), Seen, work, timeout_s)  # type: ignore[arg-type]


def test_a_worker_is_kept_and_its_folder_is_not(decoding: DecoderPool, file: Path) -> None:
    first, second = decode(decoding, file), decode(decoding, file)
    assert first == second
    assert (first.pid != os.getpid(), first.size_bytes) == (True, 12)
    assert list(decoding.root.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "reason", "error_type"),
    [
        ("refuse", "it is encrypted", "validation"),
        ("raise", "it cannot be decoded: ValueError", "validation"),
        ("missing", "pictures is not installed: pip install 'tamis", "dependency"),
        ("memory", "more memory than it may", "runtime"),
    ],
)
def test_what_it_says_itself_costs_no_worker(
    decoding: DecoderPool, file: Path, kind: str, reason: str, error_type: str
) -> None:
    before = decode(decoding, file).pid
    with pytest.raises(DecodeError, match=reason) as raised:
        decode(decoding, file, kind)
    assert raised.value.error_type == error_type
    assert decode(decoding, file).pid == before


@pytest.mark.parametrize(
    ("kind", "reason", "error_type"),
    [
        ("abort", "broke down over it .SIGABRT", "runtime"),
        ("kill", "ended from outside", "resource"),
        ("hang", "not decoded within 0.3 s", "runtime"),
        ("spin", "not decoded within 0.3 s", "runtime"),
    ],
)
def test_a_death_is_that_files_alone(
    decoding: DecoderPool, file: Path, kind: str, reason: str, error_type: str
) -> None:
    before, started_s = decode(decoding, file).pid, time.monotonic()
    with pytest.raises(DecodeError, match=reason) as raised:
        decode(decoding, file, kind, 0.3)
    assert raised.value.error_type == error_type
    assert time.monotonic() - started_s < 2
    assert not _is_alive(before)
    assert decode(decoding, file).pid != before


def test_one_that_died_while_idle_is_replaced(decoding: DecoderPool, file: Path) -> None:
    before = decode(decoding, file).pid
    os.kill(before, 9)
    time.sleep(0.05)
    assert decode(decoding, file).pid != before


def test_what_a_library_prints_is_no_answer(decoding: DecoderPool, file: Path) -> None:
    assert decode(decoding, file, "print").size_bytes == 12


def test_a_close_breaks_off_what_is_under_way(tmp_path: Path, file: Path) -> None:
    pool, reasons = DecoderPool(tmp_path / "work", workers=1), []

    def wait() -> None:
        try:
            decode(pool, file, "hang")
        except DecodeError as error:
            reasons.append(error.message)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not pool.busy:
        time.sleep(0.01)
    pool.close()
    waiting.join(5)
    assert reasons == ["the server is ending"]
    with pytest.raises(DecodeError, match="the server is ending"):
        decode(pool, file)


def test_workers_end_with_the_server_however_it_ends(tmp_path: Path, file: Path) -> None:
    program = f"""
import os, threading, time
from pathlib import Path
from tests.decoding.test_pool import decode
from tamis.decoding.pool import DecoderPool
pool, file = DecoderPool(Path({str(tmp_path / "work")!r}), workers=2), Path({str(file)!r})
idle = decode(pool, file).pid
threading.Thread(target=decode, args=(pool, file, "spin"), daemon=True).start()
decode(pool, file)
while not pool.busy: time.sleep(0.01)
print(*(worker.pid for worker in (*pool.idle, *pool.busy)), flush=True)
os.kill(os.getpid(), 9)
"""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", program], env=paths, stdout=subprocess.PIPE, text=True, check=False)
    pids = [int(pid) for pid in told.stdout.split()]
    assert pids
    deadline_s = time.monotonic() + 5
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    """A process that has ended and waits to be asked for its status is dead."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
