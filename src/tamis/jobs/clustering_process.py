"""A clustering in a process of its own, as the server sees it: begun, waited for, killed."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tamis.engine.clustering.clustering_job import Found, read_failure, read_found
from tamis.errors import ClusteringError

_BOOT = "import sys; sys.path[:] = sys.argv.pop(1).split('|'); from tamis.jobs.clustering_worker import main; main()"
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_LOOK_S = 0.25


async def clustered(folder: Path, still_wanted: Callable[[], Awaitable[None]]) -> Found:
    """folder: with rows and job.  still_wanted: asked now and then; what it raises ends the process.

    Raises: ClusteringError.
    """
    packages = "|".join(path for path in sys.path if os.path.isabs(path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-B", "-c", _BOOT, packages, str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env=_ALONE, cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        while not await _ended(process):
            await still_wanted()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if process.stdin is not None:
            process.stdin.close()
    return await asyncio.to_thread(_read, folder, process.returncode)


async def _ended(process: asyncio.subprocess.Process) -> bool:
    try:
        async with asyncio.timeout(_LOOK_S):
            await process.wait()
    except TimeoutError:
        return False
    return True


def _read(folder: Path, status: int | None) -> Found:
    failure = read_failure(folder)
    if failure is not None:
        raise ClusteringError(failure.message)
    try:
        return read_found(folder)
    except FileNotFoundError:
        raise ClusteringError(f"the process that clusters ended early, with status {status}") from None
