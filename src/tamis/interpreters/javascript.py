"""JavaScript by QuickJS inside wasmtime, in worker processes that are killed at their limits."""

import asyncio
import contextlib
import importlib.util
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tamis.engine.ports.code import Program, Ran
from tamis.errors import NotSetUpError
from tamis.model.json import JSON

_SCRIPT = str(Path(__file__).with_name("javascript_worker.py"))
_GRACE_S = 1.0
_START_S = 60.0
_RUNS_PER_WORKER = 500
_MOST_BESIDE = 8 << 10
_MODULES = ("quickjs_rs", "wasmtime")
_ASKED = ("code", "result", "timeout_s", "max_memory_bytes", "max_output_bytes")


class JavaScriptInterpreter:
    """Workers are started when they are needed, and kept; each run has an interpreter of its own in one of them."""

    def __init__(self, workers: int) -> None:
        self._places = asyncio.Semaphore(max(1, workers))
        self.idle: list[_Worker] = []

    async def run(self, program: Program, document: Mapping[str, JSON]) -> Ran:
        """Raises: NotSetUpError."""
        async with self._places:
            worker = self.idle.pop() if self.idle else await _Worker.started()
            try:
                ran = await worker.run(program, document)
            except BaseException:
                await worker.end()
                raise
            # A run that the worker ended itself leaves nothing in it: its whole WebAssembly instance is gone.
            if worker.is_sound and worker.runs < _RUNS_PER_WORKER:
                self.idle.append(worker)
            else:
                await worker.end()
            return ran

    async def close(self) -> None:
        while self.idle:
            await self.idle.pop().end()


class _Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.runs = 0
        self.is_sound = True
        self._is_gone = False

    @classmethod
    async def started(cls) -> "_Worker":
        """Isolated from the environment and from the folder that the server was started in. Raises: NotSetUpError."""
        if any(importlib.util.find_spec(name) is None for name in _MODULES):
            raise NotSetUpError("running JavaScript (pip install 'tamis[code]')")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-B", _SCRIPT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_S):
                told = await worker._read(1024)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            told = {}
        except BaseException:
            await worker.end()
            raise
        if not told.get("ready"):
            await worker.end()
            raise NotSetUpError("running JavaScript: its interpreter does not start, and so is")
        return worker

    async def run(self, program: Program, document: Mapping[str, JSON]) -> Ran:
        self.runs += 1
        given = {**program.given, "doc": document}
        try:
            async with asyncio.timeout(program.timeout_s + _GRACE_S):
                await self._write({**{name: getattr(program, name) for name in _ASKED}, "given": given})
                told = await self._read(6 * program.max_output_bytes + _MOST_BESIDE)
        except TimeoutError:
            self.is_sound = False
            return Ran(fault="time", error=f"it ran out of time ({program.timeout_s:g} s)")
        except (asyncio.IncompleteReadError, ConnectionError):
            self.is_sound, self._is_gone = False, True
            return Ran(fault="memory", error="it broke a limit and was ended")
        return Ran(**told)

    async def _write(self, asked: dict[str, Any]) -> None:
        if self.process.stdin is None:
            raise ConnectionError
        body = orjson.dumps(asked)
        self.process.stdin.write(struct.pack(">I", len(body)) + body)
        await self.process.stdin.drain()

    async def _read(self, max_bytes: int) -> dict[str, Any]:
        if self.process.stdout is None:
            raise ConnectionError
        size: int = struct.unpack(">I", await self.process.stdout.readexactly(4))[0]
        if size > max_bytes:
            raise ConnectionError
        told: dict[str, Any] = orjson.loads(await self.process.stdout.readexactly(size))
        return told

    async def end(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self._is_gone:  # a signal to one that has ended would take its status away from whoever waits for it
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await self.process.wait()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()
