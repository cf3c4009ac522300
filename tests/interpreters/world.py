"""The interpreters as a server has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tamis.interpreters.javascript import JavaScriptInterpreter
from tamis.interpreters.python import PythonInterpreter
from tamis.interpreters.runner import Interpreters


@asynccontextmanager
async def opened(workers: int = 2, max_documents: int = 1000) -> AsyncIterator[Interpreters]:
    runner = Interpreters(PythonInterpreter(workers), JavaScriptInterpreter(workers), workers, max_documents)
    try:
        yield runner
    finally:
        await runner.close()
