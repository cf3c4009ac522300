"""The ports of `Reach`, each behind a tape."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tamis.engine.needs import Lacks
from tamis.engine.ports.code import CodeRunner, Program, Ran
from tamis.engine.ports.databases import Databases, Lookup, Rows
from tamis.engine.ports.language import LanguageModels, Prompt, Reply
from tamis.engine.ports.learning import Evidence, EvidenceQuery, Learning
from tamis.engine.ports.outside import Fetch, Fetched, Outside
from tamis.engine.ports.retrieving import Retrieve, Retrieved, Retrievers
from tamis.engine.ports.taxonomies import Taxonomies
from tamis.engine.ports.web_search import ImageQuery, Page, PageQuery, Pages, Sighting, Sightings, WebSearch
from tamis.engine.reach import NOWHERE, Reach
from tamis.engine.spending.allowance import Allowance
from tamis.engine.tape import Form, Tape
from tamis.model.fusion_credit import Agreement
from tamis.model.json import JSON
from tamis.model.principal import Principal

LANGUAGE, OUTSIDE, RETRIEVERS, WEB_SEARCH, CODE = "language", "outside", "retrievers", "web_search", "code"


def taped_reach(reach: Reach, tape: Tape) -> Reach:
    return reach if reach is NOWHERE else TapedReach(tape, reach)


class TapedReach(Reach):
    """Each port is wrapped once it is reached for: most stages reach for none. What lacks is asked of a plan only."""

    __slots__ = ("_reach", "_tape")
    _reach: Reach
    _tape: Tape

    def __init__(self, tape: Tape, reach: Reach) -> None:
        object.__setattr__(self, "_tape", tape)
        object.__setattr__(self, "_reach", reach)

    @property
    def language(self) -> LanguageModels:
        return TapedLanguageModels(self._tape, self._reach.language)

    @property
    def outside(self) -> Outside:
        return TapedOutside(self._tape, self._reach.outside)

    @property
    def retrievers(self) -> Retrievers:
        return TapedRetrievers(self._tape, self._reach.retrievers)

    @property
    def web_search(self) -> WebSearch:
        return TapedWebSearch(self._tape, self._reach.web_search)

    @property
    def code(self) -> CodeRunner:
        return TapedCode(self._tape, self._reach.code)

    @property
    def taxonomies(self) -> Taxonomies:
        return TapedTaxonomies(self._tape, self._reach.taxonomies)

    @property
    def databases(self) -> Databases:
        return TapedDatabases(self._tape, self._reach.databases)

    @property
    def learning(self) -> Learning:
        return TapedLearning(self._tape, self._reach.learning)

    @property
    def lacks(self) -> Lacks:
        return {}


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

    async def read_page(self, principal: Principal, fetch: Fetch) -> Fetched:
        # The same question as `fetch`'s: what was let through then is answered from the record now.
        return await self._tape.ask(_FETCH, (fetch,), lambda: self._outside.read_page(principal, fetch))


class TapedCode:
    """A program's limits are a machine's, and another version of its interpreter may answer otherwise."""

    __slots__ = ("_runner", "_tape")

    def __init__(self, tape: Tape, runner: CodeRunner) -> None:
        self._tape = tape
        self._runner = runner

    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        asked = (program, list(documents))
        return await self._tape.ask(_RUN, asked, lambda: self._runner.run(principal, program, documents))

    async def check(self, program: Program) -> Ran:
        return await self._runner.check(program)  # asked of a plan, never by a stage


class TapedRetrievers:
    """A run's result is one answer: what its own stages asked is not told."""

    __slots__ = ("_retrievers", "_tape")

    def __init__(self, tape: Tape, retrievers: Retrievers) -> None:
        self._tape = tape
        self._retrievers = retrievers

    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        charged = getattr(allowance, "behind", allowance)
        return await self._tape.ask(_RETRIEVE, (asked,), lambda: self._retrievers.retrieve(principal, asked, charged))


class TapedTaxonomies:
    __slots__ = ("_tape", "_taxonomies")

    def __init__(self, tape: Tape, taxonomies: Taxonomies) -> None:
        self._tape = tape
        self._taxonomies = taxonomies

    async def definition(self, principal: Principal, identifier: str) -> Mapping[str, JSON]:
        return await self._tape.ask(
            _TAXONOMY, (identifier,), lambda: self._taxonomies.definition(principal, identifier)
        )


class TapedDatabases:
    __slots__ = ("_databases", "_tape")

    def __init__(self, tape: Tape, databases: Databases) -> None:
        self._tape = tape
        self._databases = databases

    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        return await self._tape.ask(_LOOK_UP, (lookup,), lambda: self._databases.look_up(principal, lookup))


class TapedWebSearch:
    __slots__ = ("_search", "_tape")

    def __init__(self, tape: Tape, search: WebSearch) -> None:
        self._tape = tape
        self._search = search

    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages:
        charged = getattr(allowance, "behind", allowance)
        return await self._tape.ask(_PAGES, (query,), lambda: self._search.pages(principal, query, charged))

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings:
        charged = getattr(allowance, "behind", allowance)
        return await self._tape.ask(_IMAGES, (query,), lambda: self._search.images(principal, query, charged))


class TapedLearning:
    """What is known today is no part of the question, nor how long may be waited for it."""

    __slots__ = ("_learning", "_tape")

    def __init__(self, tape: Tape, learning: Learning) -> None:
        self._tape = tape
        self._learning = learning

    async def evidence(self, principal: Principal, query: EvidenceQuery) -> Sequence[Evidence] | None:
        asked = (query.stage_name, query.contexts)
        return await self._tape.ask(_EVIDENCE, asked, lambda: self._learning.evidence(principal, query))


def _evidence(note: Any, _archive: Any) -> Sequence[Evidence] | None:
    if note is None:
        return None
    return [
        Evidence(one["interactions"], {name: Agreement(**known) for name, known in one["agreements"].items()})
        for one in note
    ]


def _pages(note: dict[str, Any], _archive: Any) -> Pages:
    pages = tuple(Page(**{**one, "highlights": tuple(one["highlights"])}) for one in note["pages"])
    return Pages(note["provider"], pages, note["calls"], tuple(note["warnings"]))


def _sightings(note: dict[str, Any], _archive: Any) -> Sightings:
    found = tuple(Sighting(**one) for one in note["found"])
    return Sightings(note["provider"], note["engine"], found, note["calls"], tuple(note["warnings"]))


def _fetched(note: dict[str, Any], _archive: Any) -> Fetched:
    return Fetched(note["url"], note["status"], note["headers"], base64.b64decode(note["body"]))


_ASK: Form[Reply] = Form(LANGUAGE, "ask", asdict, lambda note, _: Reply(**note))
_RESOLVE: Form[str] = Form(LANGUAGE, "resolve", lambda name: name, lambda note, _: str(note))
_RETRIEVE: Form[Retrieved] = Form(
    RETRIEVERS,
    "retrieve",
    asdict,
    lambda note, _: Retrieved(tuple(note["documents"]), note["calls"], note["tokens"], tuple(note["warnings"])),
)
_PAGES: Form[Pages] = Form(WEB_SEARCH, "pages", asdict, _pages)
_IMAGES: Form[Sightings] = Form(WEB_SEARCH, "images", asdict, _sightings)
_RUN: Form[Sequence[Ran]] = Form(
    CODE, "run", lambda all: [asdict(one) for one in all], lambda note, _: tuple(Ran(**one) for one in note)
)
_TAXONOMY: Form[Mapping[str, JSON]] = Form("taxonomies", "definition", dict, lambda note, _: dict(note))
_LOOK_UP: Form[Rows] = Form(
    "databases", "look_up", asdict, lambda note, _: Rows(tuple(note["rows"]), note["truncated"])
)
_EVIDENCE: Form[Sequence[Evidence] | None] = Form(
    "learning", "evidence", lambda known: None if known is None else [asdict(one) for one in known], _evidence
)
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
