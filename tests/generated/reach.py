"""A world outside that answers by what it is asked alone: well mostly, rubbish or a failure sometimes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from random import Random
from typing import Any

import orjson

from tamis.engine.ports.code import Program, Ran
from tamis.engine.ports.databases import Lookup, Rows
from tamis.engine.ports.language import Prompt, Reply
from tamis.engine.ports.outside import Fetch, Fetched
from tamis.engine.ports.web_search import ImageQuery, Page, PageQuery, Pages, Sighting, Sightings
from tamis.engine.reach import Reach
from tamis.engine.spending.allowance import Allowance
from tamis.errors import NotSetUpError, OutsideError, OutsideRefusedError, StageTimeoutError, TamisError
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tests.generated.schemas import value_of

FAILURES: tuple[type[TamisError], ...] = (OutsideError, OutsideRefusedError, StageTimeoutError)
FAILING = 0.08
BODIES = (
    b'{"results": [{"title": "A knife", "url": "https://example.com/knife", "score": 0.5}], "value": 3}',
    b"<html><head><title>Shop</title></head><body><p>Running shoes and knives.</p></body></html>",
    b"[]",
    b"not json at all \xff\xfe",
    b"",
)


def chance_of(*asked: Any) -> Random:
    """Decided by the question, in this process and any other."""
    text = orjson.dumps(asked, default=repr, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return Random(hashlib.sha256(text).digest())


def _may_fail(chance: Random, what: str) -> None:
    if chance.random() < FAILING:
        kind = chance.choice(FAILURES)
        raise kind(f"{what} failed as the test has it")


class StubLanguage:
    async def ask(self, principal: Principal, prompt: Prompt, allowance: Allowance) -> Reply:
        chance = chance_of(asdict(prompt))
        if not allowance.spend(1, 40):
            raise StageTimeoutError("nothing left to ask with")
        _may_fail(chance, "the model")
        value: JSON = None
        text = chance.choice(("A short answer.", "Kitchens and knives.\nShoes.", "{}", "", "日本語"))
        if prompt.schema is not None:
            value = value_of(prompt.schema, chance, prompt.schema.get("$defs", {}))  # type: ignore[arg-type]
            text = orjson.dumps(value).decode()
        return Reply(text, value, self.resolve(prompt.provider, prompt.model), 30, 10, chance.choice((1, 1, 2)))

    def resolve(self, provider: str | None, model: str | None) -> str:
        if provider == "nobody":
            raise NotSetUpError("language models")
        return f"{provider or 'stub'}/{model or 'stub-1'}"


class StubOutside:
    async def fetch(self, principal: Principal, fetch: Fetch) -> Fetched:
        chance = chance_of(asdict(fetch))
        _may_fail(chance, "the far side")
        status = chance.choice((200, 200, 200, 200, 404, 429, 500))
        kind = chance.choice(("application/json", "text/html; charset=utf-8"))
        return Fetched(fetch.url, status, {"content-type": kind}, chance.choice(BODIES))

    async def read_page(self, principal: Principal, fetch: Fetch) -> Fetched:
        return await self.fetch(principal, fetch)


class StubWebSearch:
    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages:
        chance = self._chance(query, allowance)
        score = chance.choice((None, 0.5))
        found = [Page(f"https://example.com/{chance.randrange(20)}", "A page", "Knives.", score=score)] * query.count
        return Pages(query.provider or "stub", tuple(found[: chance.randrange(5)]), 1)

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings:
        chance = self._chance(query, allowance)
        found = [Sighting(f"https://example.com/{chance.randrange(20)}", score=0.5) for _ in range(query.count)]
        return Sightings(query.provider or "stub", query.engine, tuple(found[: chance.randrange(5)]), 1)

    def _chance(self, query: PageQuery | ImageQuery, allowance: Allowance) -> Random:
        chance = chance_of(asdict(query))
        if query.provider == "nobody":
            raise NotSetUpError("web search")
        if allowance.spend():
            _may_fail(chance, "the provider")
        return chance


class StubCode:
    """Fails on some documents, leaves some out, changes some."""

    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        return [self._ran(chance_of(program.code, dict(one)), one) for one in documents]

    async def check(self, program: Program) -> Ran:
        return Ran()

    def _ran(self, chance: Random, document: Mapping[str, JSON]) -> Ran:
        if chance.random() < FAILING:
            return Ran(fault="raised", error="KeyError: price", line=2)
        changed: dict[str, JSON] = {**document, "words": 3, "score": 0.25}
        answers: list[JSON] = [None, dict(document), changed, {"words": 3}]
        return Ran(chance.choice(answers), is_transformed=True)


class StubDatabases:
    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        chance = chance_of(asdict(lookup))
        _may_fail(chance, "the database")
        rows: list[dict[str, JSON]] = [{"level": chance.randrange(9), "place": None}] * chance.randrange(3)
        return Rows(tuple(rows[: lookup.max_rows]), truncated=len(rows) > lookup.max_rows)


STUBS = Reach(StubLanguage(), StubOutside(), web_search=StubWebSearch(), code=StubCode(), databases=StubDatabases())
