"""What the index process sends, and in which order: its server on a thread, packets counted."""

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tamis.storage.index import process
from tamis.storage.index.host import Host
from tamis.storage.index.process import READS_BEFORE_A_WRITE, Server
from tamis.storage.index.wire import FrameBuffer, pack, unpack

FEATURES = [{"name": "e", "kind": "dense", "dimensions": 4, "idf": False}]


def asked(folder: Path, calls: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The answers of each packet, once every call is answered. The calls are all there before the first is served."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    frames, host = FrameBuffer(), Host(folder, 20_000)
    packets: list[list[Any]] = []
    ours.send(b"".join(pack(call) for call in calls))
    serving = threading.Thread(target=Server(theirs, host).run)
    with ours, theirs:
        serving.start()
        while sum(map(len, packets)) <= len(calls):
            packets.append([unpack(frame) for frame in frames.feed(ours.recv(1 << 20))])
        ours.close()
        serving.join()
    host.close()
    assert packets[0] == [[0, None, "ready"]]
    return packets[1:]


def reads(count: int) -> list[list[Any]]:
    return [[number, "describe", "o/n/c", None] for number in range(1, count + 1)]


@pytest.mark.parametrize(("hold_s", "together"), [(60.0, READS_BEFORE_A_WRITE), (-1.0, 1)])
def test_answers_that_follow_each_other_travel_together_unless_the_first_waits_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold_s: float, together: int
) -> None:
    monkeypatch.setattr(process, "_HOLD_S", hold_s)
    packets = asked(tmp_path, reads(2 * READS_BEFORE_A_WRITE))
    assert [len(packet) for packet in packets] == [together] * (2 * READS_BEFORE_A_WRITE // together)
    assert [answer[0] for packet in packets for answer in packet] == list(range(1, 2 * READS_BEFORE_A_WRITE + 1))


def test_a_write_waits_for_a_few_reads_and_no_read_for_more_than_one_write(tmp_path: Path) -> None:
    many = 2 * READS_BEFORE_A_WRITE
    writes = [[100, "create", "o/n/c", FEATURES], [101, "delete", "o/n/c", ["doc_1"]]]
    answers = [answer for packet in asked(tmp_path, [*writes, *reads(many)]) for answer in packet]
    order = [answer[0] for answer in answers]
    assert order.index(100) == READS_BEFORE_A_WRITE
    assert order.index(101) == many + 1
    features = [result for number, _, result in answers if number <= many]
    assert features == [None] * READS_BEFORE_A_WRITE + [FEATURES] * READS_BEFORE_A_WRITE


def test_a_call_that_fails_says_so_and_leaves_the_others_alone(tmp_path: Path) -> None:
    rows = [["doc_1", {}, {}]]
    packets = asked(tmp_path, [[1, "upsert", "o/n/none", rows], [2, "describe", "o/n/c", None], [3, "nothing", "x", 0]])
    answers = {answer[0]: answer[1:] for packet in packets for answer in packet}
    assert answers[1][0][0] == "NotFoundError"
    assert answers[2] == [None, None]
    assert answers[3][0][0] == "StorageError"
