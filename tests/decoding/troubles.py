"""Tasks of a worker in which something goes wrong, each as its options say."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tamis.decoding.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: Literal["none", "refuse", "raise", "hang", "spin", "memory", "abort", "kill", "missing", "print"] = "none"


@dataclass(frozen=True, slots=True)
class Seen:
    pid: int
    size_bytes: int


def decode_trouble(path: Path, options: Trouble, work: Path) -> Seen:
    getattr(_Troubles, options.kind)()
    (work / "left.bin").write_bytes(b"left")
    return Seen(os.getpid(), path.stat().st_size)


class _Troubles:
    @staticmethod
    def none() -> None:
        pass

    @staticmethod
    def refuse() -> None:
        raise UnreadableError("it is encrypted")

    @staticmethod
    def hang() -> None:
        time.sleep(60)

    @staticmethod
    def spin() -> None:
        while True:
            pass

    @staticmethod
    def memory() -> None:
        bytearray(1 << 31)

    @staticmethod
    def abort() -> None:
        os.abort()

    @staticmethod
    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'pictures'", name="pictures")

    @staticmethod
    def print() -> None:
        sys.stdout.write("noise")
        sys.stdout.flush()
        os.write(1, b"more noise")


setattr(_Troubles, "raise", staticmethod(lambda: int("seven")))
