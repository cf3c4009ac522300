"""A worker process as the server sees it: asked, waited for, killed."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
from time import monotonic

import msgspec

from tamis.decoding.messages import HEAD_BYTES, MOST_BYTES, Asked, Told, framed, length
from tamis.errors import DecodeError

_BOOT = "import sys; sys.path[:] = sys.argv.pop(1).split('|'); from tamis.decoding.worker import main; main()"
_START_S = 60.0
_PIPE_BYTES = 1 << 20
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
# What one file took is kept for the next: given back to the system, it is paged in again each time.
_KEEPING = {
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20), "MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_TOP_PAD_": str(1 << 20),
}  # fmt: skip


class WorkerProcess:
    """Nothing of the server's environment is in it; packages are found where the server finds them."""

    def __init__(self, memory_bytes: int) -> None:
        """Raises: DecodeError where it does not come up."""
        self.runs = 0
        packages = "|".join(path for path in sys.path if os.path.isabs(path))
        self._process = subprocess.Popen(  # noqa: S603 - our own program, by our own interpreter
            [sys.executable, "-I", "-B", "-c", _BOOT, packages, str(memory_bytes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**_ALONE, **_KEEPING}, cwd="/", start_new_session=True,
        )  # fmt: skip
        self._widen()
        try:
            self._read(monotonic() + _START_S)
        except (OSError, EOFError, TimeoutError):
            self.end()
            raise DecodeError("the decoding process does not start", "dependency") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, asked: Asked) -> Told:
        """Raises: TimeoutError; EOFError where it died; OSError where it had died before. Then it is of no more use."""
        self.runs += 1
        until_s = monotonic() + asked.timeout_s
        if self._process.stdin is None:
            raise EOFError
        self._process.stdin.write(framed(asked))
        self._process.stdin.flush()
        return self._read(until_s)

    def ended_by(self) -> str:
        """How it died, once it has."""
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _widen(self) -> None:
        """Pixels come in a few pieces instead of dozens."""
        if self._process.stdout is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._process.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def _read(self, until_s: float) -> Told:
        size = length(self._exactly(HEAD_BYTES, until_s))
        if size > MOST_BYTES:
            raise EOFError
        return msgspec.msgpack.decode(self._exactly(size, until_s), type=Told)

    def _exactly(self, size: int, until_s: float) -> memoryview:
        if self._process.stdout is None:
            raise EOFError
        descriptor, waiting = self._process.stdout.fileno(), select.poll()
        waiting.register(descriptor, select.POLLIN)
        data = memoryview(bytearray(size))
        left = data
        while left:
            if not waiting.poll(max(0.0, until_s - monotonic()) * 1000):
                raise TimeoutError
            read = os.readv(descriptor, [left])
            if not read:
                raise EOFError
            left = left[read:]
        return data
