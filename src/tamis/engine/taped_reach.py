"""The ports of `Reach`, each behind a tape."""

import base64
from dataclasses import asdict
from typing import Any

from tamis.engine.allowance import Allowance
from tamis.engine.ports.code import CodeRunner, Program
from tamis.engine.ports.databases import Databases, Lookup, Rows
from tamis.engine.ports.language import LanguageModels, Prompt, Reply
from tamis.engine.ports.outside import Fetch, Fetched, Outside
from tamis.engine.reach import NOWHERE, Reach
from tamis.engine.tape import Form, Tape
from tamis.model.json import JSON
from tamis.model.principal import Principal

LANGUAGE, OUTSIDE, DATABASES, CODE = "language", "outside", "databases", "code"


def taped_reach(reach: Reach, tape: Tape) -> Reach:
    if reach is NOWHERE:
        return reach
    return Reach(
        TapedLanguageModels(tape, reach.language),
        TapedOutside(tape, reach.outside),
        TapedDatabases(tape, reach.databases),
        TapedCode(tape, reach.code),
    )


class TapedLanguageModels:
    """The allowance is no part of the question; in a replay nothing is charged."""

    __slots__ = ("_models", "_tape")

    def __init__(self, tape: Tape, models: LanguageModels) -> None:
        self._tape = tape
        self._models = models

    async def ask(self, principal: Principal, prompt: Prompt, allowance: Allowance) -> Reply:
        charged = getattr(allowance, "behind", allowance)
        return await self._tape.ask(_ASK, (prompt,), lambda: self._models.ask(principal, prompt, charged))

    def resolve(self, provider: str | None, model: str | None) -> str:
        return self._tape.ask_now(_RESOLVE, (provider, model), lambda: self._models.resolve(provider, model))


class TapedOutside:
    __slots__ = ("_outside", "_tape")

    def __init__(self, tape: Tape, outside: Outside) -> None:
        self._tape = tape
        self._outside = outside

    async def fetch(self, principal: Principal, fetch: Fetch) -> Fetched:
        return await self._tape.ask(_FETCH, (fetch,), lambda: self._outside.fetch(principal, fetch))


class TapedDatabases:
    __slots__ = ("_databases", "_tape")

    def __init__(self, tape: Tape, databases: Databases) -> None:
        self._tape = tape
        self._databases = databases

    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        return await self._tape.ask(_LOOK_UP, (lookup,), lambda: self._databases.look_up(principal, lookup))


class TapedCode:
    __slots__ = ("_runner", "_tape")

    def __init__(self, tape: Tape, runner: CodeRunner) -> None:
        self._tape = tape
        self._runner = runner

    async def run(self, program: Program, variables: dict[str, JSON]) -> JSON:
        return await self._tape.ask(_RUN, (program, variables), lambda: self._runner.run(program, variables))


def _fetched(note: dict[str, Any], _archive: Any) -> Fetched:
    return Fetched(note["url"], note["status"], note["headers"], base64.b64decode(note["body"]))


_ASK: Form[Reply] = Form(LANGUAGE, "ask", asdict, lambda note, _: Reply(**note))
_RESOLVE: Form[str] = Form(LANGUAGE, "resolve", lambda name: name, lambda note, _: str(note))
_FETCH: Form[Fetched] = Form(
    OUTSIDE,
    "fetch",
    lambda found: {
        "url": found.url,
        "status": found.status,
        "headers": dict(found.headers),
        "body": base64.b64encode(found.body).decode(),
    },
    _fetched,
)
_LOOK_UP: Form[Rows] = Form(
    DATABASES,
    "look_up",
    lambda found: {"rows": [dict(row) for row in found.rows], "truncated": found.truncated},
    lambda note, _: Rows(note["rows"], note["truncated"]),
)
_RUN: Form[JSON] = Form(CODE, "run", lambda value: value, lambda note, _: note)
