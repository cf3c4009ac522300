"""What stages may reach beyond data and models, each behind a port; what the operator did not set up says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tamis.engine.needs import Lacks
from tamis.engine.ports.code import CodeRunner, Program, Ran
from tamis.engine.ports.databases import Databases, Lookup, Rows
from tamis.engine.ports.language import LanguageModels, Prompt, Reply
from tamis.engine.ports.learning import Evidence, EvidenceQuery, Learning
from tamis.engine.ports.outside import Fetch, Fetched, Outside
from tamis.engine.ports.retrieving import Retrieve, Retrieved, Retrievers
from tamis.engine.ports.taxonomies import Taxonomies
from tamis.engine.ports.web_search import ImageQuery, PageQuery, Pages, Sightings, WebSearch
from tamis.engine.spending.allowance import Allowance
from tamis.errors import NotSetUpError, ValidationError
from tamis.model.json import JSON
from tamis.model.principal import Principal


class _NoLanguageModels:
    async def ask(self, principal: Principal, prompt: Prompt, allowance: Allowance) -> Reply:
        raise NotSetUpError("language models")

    def resolve(self, provider: str | None, model: str | None) -> str:
        raise NotSetUpError("language models")


class _NoOutside:
    async def fetch(self, principal: Principal, fetch: Fetch) -> Fetched:
        raise NotSetUpError("requests to the outside")

    async def read_page(self, principal: Principal, fetch: Fetch) -> Fetched:
        raise NotSetUpError("requests to the outside")


class _NoWebSearch:
    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages:
        raise NotSetUpError("web search (the operator sets TAMIS_SEARCH_PROVIDERS)")

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings:
        raise NotSetUpError("reverse image search (the operator sets TAMIS_SEARCH_PROVIDERS)")


class _NoRetrievers:
    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        raise NotSetUpError("retrievers that a stage runs")


class _NoCode:
    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        raise NotSetUpError("running programs")

    async def check(self, program: Program) -> Ran:
        return Ran()


class _NoDatabases:
    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        raise NotSetUpError("lookups in databases (the operator sets TAMIS_SQL_CONNECTIONS)")


class _NoTaxonomies:
    async def definition(self, principal: Principal, identifier: str) -> Mapping[str, JSON]:
        message = f"taxonomies are not stored yet, so there is no {identifier!r}: give its nodes inline, as `taxonomy`"
        raise ValidationError.at(["parameters", "taxonomy_id"], message)


class _NothingLearnt:
    async def evidence(self, principal: Principal, query: EvidenceQuery) -> Sequence[Evidence] | None:
        return [Evidence() for _ in query.contexts]


@dataclass(frozen=True, slots=True)
class Reach:
    language: LanguageModels = field(default_factory=_NoLanguageModels)
    outside: Outside = field(default_factory=_NoOutside)
    retrievers: Retrievers = field(default_factory=_NoRetrievers)
    web_search: WebSearch = field(default_factory=_NoWebSearch)
    code: CodeRunner = field(default_factory=_NoCode)
    taxonomies: Taxonomies = field(default_factory=_NoTaxonomies)
    databases: Databases = field(default_factory=_NoDatabases)
    learning: Learning = field(default_factory=_NothingLearnt)
    lacks: Lacks = field(default_factory=dict)


NOWHERE = Reach()
