"""The port for programs: which interpreter, how many documents, how many at once, and when to give up."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Protocol
from weakref import WeakValueDictionary

from tamis.engine.ports.code import Language, Program, Ran
from tamis.errors import NotSetUpError
from tamis.model.json import JSON
from tamis.model.principal import Principal

_KEPT = 1024
_ENDING: Mapping[Language, str] = {"python": "raise SystemExit\n", "javascript": "throw 0;"}
"""What before a program makes it end before it begins; all of it is compiled first."""
_MOST_TIMEOUTS = 3
"""A program that does not end is not tried on every document."""


class Interpreter(Protocol):
    """One language."""

    async def run(self, program: Program, document: Mapping[str, JSON]) -> Ran: ...
    async def close(self) -> None: ...


class Interpreters:
    """A namespace never has all workers: one whose programs take long holds up its own calls only."""

    def __init__(self, python: Interpreter, javascript: Interpreter, workers: int, max_documents: int) -> None:
        """workers: processes of each language; 0 runs nothing.  max_documents: of one call."""
        self._interpreters: dict[Language, Interpreter] = {"python": python, "javascript": javascript}
        self._workers = workers
        self._max_documents = max_documents
        self._compiled: OrderedDict[tuple[Language, bytes], None] = OrderedDict()
        self._places: WeakValueDictionary[tuple[str, str], asyncio.Semaphore] = WeakValueDictionary()

    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        """Raises: NotSetUpError."""
        if not self._workers:
            raise NotSetUpError("running programs (TAMIS_CODE_WORKERS is 0)")
        interpreter, places, timeouts = self._interpreters[program.language], self._places_of(principal), 0

        async def one(number: int, document: Mapping[str, JSON]) -> Ran:
            nonlocal timeouts
            if number >= self._max_documents:
                return Ran(fault="not_run", error=f"a call runs its program on {self._max_documents} documents at most")
            async with places:
                if timeouts >= _MOST_TIMEOUTS:
                    return Ran(fault="not_run", error=f"not run: {_MOST_TIMEOUTS} documents ran out of time before it")
                ran = await interpreter.run(program, document)
                timeouts += ran.fault == "time"
                return ran

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(number, document)) for number, document in enumerate(documents)]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return tuple(task.result() for task in tasks)

    async def check(self, program: Program) -> Ran:
        """Raises: NotSetUpError."""
        if not self._workers:
            return Ran()
        key = (program.language, sha256(program.code.encode(errors="surrogatepass")).digest())
        if key in self._compiled:
            return Ran()
        ending = _ENDING[program.language]
        ran = await self._interpreters[program.language].run(replace(program, code=f"{ending}{program.code}"), {})
        if ran.fault == "syntax":
            line = ran.line and max(1, ran.line - ending.count("\n"))
            return Ran(fault="syntax", error=ran.error, line=line)
        self._compiled[key] = None
        if len(self._compiled) > _KEPT:
            self._compiled.popitem(last=False)
        return Ran()

    def _places_of(self, principal: Principal) -> asyncio.Semaphore:
        tenant = (principal.organization_id, principal.namespace_id or "")
        return self._places.setdefault(tenant, asyncio.Semaphore(max(1, self._workers - 1)))

    async def close(self) -> None:
        for interpreter in self._interpreters.values():
            await interpreter.close()
