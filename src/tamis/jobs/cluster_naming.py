"""Names of found clusters: terms that set them apart, and a language model's where one is to name them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tamis.engine.clusters.cluster_labels import Named, named, prompt_of
from tamis.engine.clusters.cluster_terms import CHARACTERS, leading_terms
from tamis.engine.groups.grouping import value_at
from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.language.prompting import text_of
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.spending.allowance import Allowance
from tamis.errors import TamisError
from tamis.model.cluster import Cluster, FoundCluster, Labelling
from tamis.model.document import Document
from tamis.model.hits import Hit
from tamis.model.principal import Principal

TERMS = 3
_MOST_NAMED = 100
_READ = 5_000
"""Documents in all whose words are counted; of each cluster at least five, and at most a hundred."""
_MOST_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Names:
    """errors: why a language model named one not; those keep their terms."""

    found: tuple[FoundCluster, ...]
    errors: tuple[str, ...] = ()


class Naming:
    def __init__(self, metadata: Metadata, language: LanguageModels) -> None:
        self._metadata = metadata
        self._language = language

    async def name(
        self, principal: Principal, cluster: Cluster, found: Sequence[FoundCluster], nearest: Sequence[Sequence[str]]
    ) -> Names:
        """nearest: of each cluster the ids of its documents, the nearest to its centroid first."""
        most = min(100, max(5, _READ // max(len(found), 1)))
        documents = await self._documents(principal, [ids[:most] for ids in nearest])
        terms = await asyncio.to_thread(_terms, cluster, documents)
        by_terms = [_with_terms(one, own) for one, own in zip(found, terms, strict=True)]
        if cluster.labelling is None:
            return Names(tuple(by_terms))
        return await self._by_language_model(principal, cluster.labelling, by_terms, documents)

    async def _documents(self, principal: Principal, ids: Sequence[Sequence[str]]) -> list[list[Document]]:
        found: list[list[Document]] = []
        for some in ids:
            read = await self._metadata.read(partial(_read, principal, some))
            found.append([read[one] for one in some if one in read])
        return found

    async def _by_language_model(
        self, principal: Principal, wanted: Labelling, found: list[FoundCluster], documents: list[list[Document]]
    ) -> Names:
        access = LanguageParameters(provider=wanted.provider, model_name=wanted.model)
        shown = [[_shown(one, wanted) for one in some[: wanted.samples]] for some in documents[:_MOST_NAMED]]
        asked = [self._language.ask(principal, prompt_of(access, texts, wanted.prompt), Allowance()) for texts in shown]
        replies = await asyncio.gather(*asked, return_exceptions=True)
        errors: dict[str, int] = {}
        for number, reply in enumerate(replies):
            if isinstance(reply, TamisError):
                errors[reply.message] = errors.get(reply.message, 0) + 1
            elif isinstance(reply, BaseException):
                raise reply
            elif (name := named(reply)) is not None:
                found[number] = _with_name(found[number], name, wanted)
        told = [f"{count} of {len(shown)} clusters: {why}" for why, count in errors.items()]
        if len(found) > _MOST_NAMED:
            told.append(f"the {_MOST_NAMED} largest clusters are named by the model, the others by their terms")
        return Names(tuple(found), tuple(told[:_MOST_ERRORS]))


def _read(principal: Principal, ids: Sequence[str], session: Session) -> Mapping[str, Document]:
    return session.documents.get_many(principal, ids)


def _terms(cluster: Cluster, documents: Sequence[Sequence[Document]]) -> list[list[str]]:
    return leading_terms([[_text(one, cluster.content_field) for one in some] for some in documents], TERMS)


def _text(document: Document, path: str) -> str:
    view = document.view()
    value = value_at(view, path)
    if value is None and path == "content":
        value = value_at(view, "text")
    if isinstance(value, list):
        value = "\n".join(part for part in value if isinstance(part, str))
    return value[:CHARACTERS] if isinstance(value, str) else ""


def _shown(document: Document, wanted: Labelling) -> str:
    return text_of(Hit(document.document_id, 0.0, document=document), wanted.content, wanted.sample_chars)


def _with_terms(found: FoundCluster, terms: Sequence[str]) -> FoundCluster:
    if found.values:
        return found
    return replace(found, label=", ".join(terms) or f"Cluster {found.number}", keywords=tuple(terms))


def _with_name(found: FoundCluster, name: Named, wanted: Labelling) -> FoundCluster:
    keywords = name.keywords if wanted.with_keywords else found.keywords
    return replace(found, label=name.label, keywords=keywords, summary=name.summary if wanted.with_summary else None)
