"""Python by Monty: an interpreter of its own, written in Rust, that has no host to reach, in worker processes."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from tamis.engine.ports.code import Fault, Program, Ran
from tamis.errors import NotSetUpError
from tamis.model.json import JSON

if TYPE_CHECKING:
    from pydantic_monty import AsyncMonty, MontyRuntimeError, MontySyntaxError

_GRACE_S = 1.0
_MOST_ERROR = 300
_MOST_PRINTED = 64 << 10
_RUNS_PER_WORKER = 500
_AROUND = len("[false, ]")
_NO_SYNTAX = "The monty syntax parser does not yet support "
_LIMITS: Mapping[str, tuple[Fault, str]] = {
    "feed time limit exceeded": ("time", "it ran out of time ({timeout_s:g} s)"),
    "memory limit exceeded": ("memory", "it ran out of memory ({max_memory_bytes} bytes)"),
    "maximum recursion depth exceeded": ("memory", "it calls itself too deeply"),
}
# The clock and the environment are asked of a host that does not answer; chance is the same each time.
_POLICY: Any = {"datetime": "call_host", "sleep": "zero", "process_time": "zero", "random_start": {"seed": 0}}


class PythonInterpreter:
    """A session for each document: nothing of one run is there for the next, whosever it is."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: AsyncMonty | None = None
        self._opening = asyncio.Lock()

    async def run(self, program: Program, document: Mapping[str, JSON]) -> Ran:
        """Raises: NotSetUpError."""
        pool = await self._opened()
        from pydantic_monty import CollectString, MontyCrashedError, MontyRuntimeError, MontySyntaxError

        limits: Any = {"max_feed_duration_secs": program.timeout_s, "max_memory": program.max_memory_bytes}
        names, printed = _Names(), CollectString(_MOST_PRINTED)
        try:
            async with pool.checkout(limits=limits, os_policy=_POLICY, assert_message_annotations=False) as session:
                await session.feed_run(names.prologue)
                answer = await session.feed_run(
                    f"{program.code}\n\n{names.epilogue(program)}",
                    inputs={**program.given, "doc": document},
                    print_callback=printed,
                )
        except (MontyRuntimeError, MontySyntaxError) as error:
            return _failed(program, error, printed.output)
        except MontyCrashedError as error:
            return Ran(fault="time" if error.timed_out else "memory", error="it broke a limit and was ended")
        return _answered(program, answer, printed.output)

    async def _opened(self) -> "AsyncMonty":
        async with self._opening:
            if self._pool is None:
                try:
                    self._pool = await _pool(self._workers).__aenter__()
                except OSError as error:
                    raise NotSetUpError(f"running Python: its interpreter does not start ({error})") from error
            return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.__aexit__(None, None, None)


def _pool(workers: int) -> "AsyncMonty":
    try:
        from pydantic_monty import AsyncMonty
    except ImportError as error:
        raise NotSetUpError("running Python (pip install 'tamis[code]')") from error
    return AsyncMonty(
        max_processes=workers, max_checkouts_per_worker=_RUNS_PER_WORKER, feed_duration_limit_grace=_GRACE_S
    )


class _Names:
    """Names that the program cannot guess, for what reads its answer: it may rename all that it knows of.

    The answer crosses as JSON text that was made inside, within the memory limit: a small value that refers to itself
    many times over would be a large one outside.
    """

    def __init__(self) -> None:
        mark = secrets.token_hex(8)
        self._dumps, self._len, self._name = f"_dumps_{mark}", f"_len_{mark}", f"_{mark}"

    @property
    def prologue(self) -> str:
        return f"from json import dumps as {self._dumps}\n{self._len} = len\n"

    def epilogue(self, program: Program) -> str:
        name = self._name
        return f"""
try:
    {name} = transform
except NameError:
    {name} = None
if {name} is not None:
    {name} = {self._dumps}([True, {name}(doc)], allow_nan=False)
else:
    try:
        {name} = {program.result}
    except NameError:
        raise NameError("it defines neither transform(doc) nor {program.result}")
    {name} = {self._dumps}([False, {name}], allow_nan=False)
{name} if {self._len}({name}) <= {program.max_output_bytes + _AROUND} else {self._len}({name})
"""


def _answered(program: Program, answer: object, printed: str) -> Ran:
    if not isinstance(answer, str) or len(answer.encode()) > program.max_output_bytes + _AROUND:
        return Ran(fault="output", error=f"its answer is larger than {program.max_output_bytes} bytes", printed=printed)
    try:
        is_transformed, value = orjson.loads(answer)
    except ValueError:  # an integer beyond 64 bits, a lone surrogate
        return Ran(fault="raised", error="its answer holds what JSON does not", printed=printed)
    return Ran(value, is_transformed, printed=printed)


def _failed(program: Program, error: "MontyRuntimeError | MontySyntaxError", printed: str) -> Ran:
    from pydantic_monty import MontySyntaxError

    frames = [frame.line for frame in error.traceback()]
    line = min(frames[-1], program.code.count("\n") + 1) if frames else None
    said = error.display("msg")
    if isinstance(error, MontySyntaxError):
        return Ran(fault="syntax", error=said[:_MOST_ERROR], line=line)
    if said.startswith(_NO_SYNTAX):
        return Ran(fault="syntax", error=f"this Python has no {said[len(_NO_SYNTAX) :]}"[:_MOST_ERROR], line=line)
    if said.endswith(f"> {_MOST_PRINTED} bytes"):
        return Ran(fault="output", error=f"it printed more than {_MOST_PRINTED} bytes", line=line, printed=printed)
    for beginning, (fault, text) in _LIMITS.items():
        if said.startswith(beginning):
            limits = {"timeout_s": program.timeout_s, "max_memory_bytes": program.max_memory_bytes}
            return Ran(fault=fault, error=text.format(**limits), line=line, printed=printed)
    return Ran(fault="raised", error=error.display("type-msg")[:_MOST_ERROR], line=line, printed=printed)
