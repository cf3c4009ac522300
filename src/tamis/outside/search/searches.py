"""All providers that the operator set up: which one is asked, what it may be asked, what is kept."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import httpcore

from tamis.engine.ports.web_search import ImageQuery, Page, PageQuery, Pages, Sighting, Sightings
from tamis.engine.spending.allowance import Allowance
from tamis.engine.templating.sandbox import suggestion
from tamis.errors import NotSetUpError, OutsideRefusedError
from tamis.model.principal import Principal
from tamis.outside.pinning import Resolve, checked_addresses, system_resolve
from tamis.outside.search.kept import Kept
from tamis.outside.search.services import Answered, FoundT, QueryT, Service
from tamis.outside.targets import any_target

_SETTING = "TAMIS_SEARCH_PROVIDERS"


class WebSearches:
    """One `WebSearch`. A query that names no provider goes to the first that the operator named for its kind.

    ttl_s: for how long an answer is kept and given again without asking; 0 keeps none.
    """

    def __init__(
        self,
        pages: Mapping[str, Service[PageQuery, Page]],
        images: Mapping[str, Service[ImageQuery, Sighting]],
        ttl_s: float = 0.0,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._pages = pages
        self._images = images
        self._resolve = resolve
        self._kept_pages: Kept[Answered[Page]] = Kept(ttl_s, _size)
        self._kept_images: Kept[Answered[Sighting]] = Kept(ttl_s, _size)

    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages:
        service = _chosen(self._pages, query.provider, "web search")
        answered = await _answered(self._kept_pages, service, principal, query, allowance)
        found = tuple(page for page in answered.found if _is_wanted(page, query))
        return Pages(service.name, found, answered.calls, (*answered.warnings, *_undated(found, query)))

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings:
        service = _chosen(self._images, query.provider, "reverse image search")
        if not query.image.startswith("data:"):
            await self._check_public(query.image)
        engines = service.protocol.engines
        if query.engine is None and engines:
            query = replace(query, engine=engines[0])
        answered = await _answered(self._kept_images, service, principal, query, allowance)
        return Sightings(service.name, query.engine, answered.found, answered.calls, answered.warnings)

    async def _check_public(self, url: str) -> None:
        """The provider fetches it, not this server: an inner address would tell it what there is, and find nothing."""
        target = any_target(url)
        try:
            await checked_addresses(target.host, target.port, (), self._resolve)
        except httpcore.ConnectError:
            raise OutsideRefusedError(
                f"{target.host!r} does not resolve, so the picture cannot be looked for"
            ) from None
        except OutsideRefusedError:
            raise OutsideRefusedError(
                f"{target.host!r} leads to an address that is not public: no provider sees it"
            ) from None


def _chosen(services: Mapping[str, Service[QueryT, FoundT]], name: str | None, what: str) -> Service[QueryT, FoundT]:
    if name is None and services:
        return next(iter(services.values()))
    service = services.get(name or "")
    if service is None:
        which = what if name is None else f"{what} by {name!r}"
        raise NotSetUpError(f"{which} (the operator sets {_SETTING}{suggestion(name or '', services)})")
    return service


async def _answered(
    kept: Kept[Answered[FoundT]],
    service: Service[QueryT, FoundT],
    principal: Principal,
    query: QueryT,
    allowance: Allowance,
) -> Answered[FoundT]:
    """How long one would wait is no part of a question; whose it is, is."""
    key = (principal.organization_id, principal.namespace_id, service.name, replace(query, timeout_s=0.0))
    found = kept.get(key)
    if found is not None:
        return replace(found, calls=0)
    answered = await service.search(principal, query, allowance)
    if answered.is_whole:
        kept.put(key, answered)
    return answered


def _is_wanted(page: Page, query: PageQuery) -> bool:
    """Whatever the provider makes of them, domains and the date hold."""
    host = (urlsplit(page.url).hostname or "").rstrip(".")
    if query.included and not _is_below(host, query.included):
        return False
    if _is_below(host, query.excluded):
        return False
    return query.published_from is None or page.published is None or page.published[:10] >= query.published_from


def _is_below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _undated(found: tuple[Page, ...], query: PageQuery) -> tuple[str, ...]:
    undated = sum(page.published is None for page in found)
    if query.published_from is None or not undated:
        return ()
    return (f"{undated} of {len(found)} pages say no date: that they are from {query.published_from} on is not known",)


def _size(answered: Answered[FoundT]) -> int:
    return sum(len(repr(one)) for one in answered.found)
