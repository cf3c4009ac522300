"""Saved retrievers: the list of them, and one with what it runs, what ran of it, and how it is published."""

from typing import Any

from starlette.responses import Response

from tamis.errors import NotFoundError
from tamis.model.retriever import Retriever
from tamis.model.template import TemplateType
from tamis.services.data.collections import CollectionService
from tamis.services.learning.rollouts import RolloutService
from tamis.services.listing import ListQuery
from tamis.services.manifests.templates import TemplateService
from tamis.services.public.publishing import PAGE_PATH, PublishingService, Shown
from tamis.services.records.analytics import AnalyticsService
from tamis.services.records.execution_overviews import ExecutionOverviews, Wanted
from tamis.services.runs.retrievers import RetrieverService
from tamis.studio import fields
from tamis.studio.visit import Visit

PAGE_SIZE = 50
_NEWEST = 8
_HOURS = 24
_MOST_COLLECTIONS = 1000


async def show(visit: Visit) -> Response:
    number = fields.whole(visit.asked("page", "1"), "page", 1, 100_000) or 1
    query = ListQuery(
        limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE, search=visit.asked("text") or None
    )  # fmt: skip
    found = await visit.service(RetrieverService).list(visit.principal, query)
    public = await visit.service(PublishingService).list(visit.principal, 1000, 0)
    return visit.page(
        "retrievers.html",
        found=found,
        public={one.published.retriever_id: one.published for one in public.items},
        public_path=PAGE_PATH,
        text=visit.asked("text"),
        templates=visit.service(TemplateService).shipped(TemplateType.RETRIEVER),
        number=number,
        last=max(1, -(-found.total // PAGE_SIZE)),
    )


async def detail(visit: Visit) -> Response:
    retriever = await visit.service(RetrieverService).get(visit.principal, identifier(visit))
    newest = await visit.service(ExecutionOverviews).find(
        visit.principal, Wanted(retriever_id=retriever.retriever_id), _NEWEST
    )
    shown = await published(visit, retriever)
    analytics = visit.service(AnalyticsService)
    return visit.page(
        "retriever.html",
        day=await analytics.caching(visit.principal, retriever.retriever_id, _HOURS),
        stages=await analytics.stages(visit.principal, retriever.retriever_id, _HOURS),
        retriever=retriever,
        rollout=await visit.service(RolloutService).under_way(visit.principal, retriever.retriever_id),
        definition=retriever.definition,
        collections=await _collections(visit, retriever),
        newest=newest,
        versions=await visit.service(RetrieverService).versions(visit.principal, retriever.retriever_id),
        shown=shown,
        **urls(visit, shown),
    )


async def delete(visit: Visit) -> Response:
    await visit.service(RetrieverService).delete(visit.principal, identifier(visit))
    return visit.moved("/retrievers")


async def published(visit: Visit, retriever: Retriever) -> Shown | None:
    try:
        return await visit.service(PublishingService).get(visit.principal, retriever.retriever_id)
    except NotFoundError as error:
        if error.details.get("resource") != "published retriever":
            raise
        return None


def urls(visit: Visit, shown: Shown | None) -> dict[str, Any]:
    """Where the public page is, for people and for other sites."""
    if shown is None:
        return {"page_url": None, "page_path": None}
    name = shown.published.name
    page_url = visit.service(PublishingService).page_url(str(visit.request.base_url), name)
    return {"page_url": page_url, "page_path": f"{PAGE_PATH}/{name}"}


def identifier(visit: Visit) -> str:
    return str(visit.request.path_params["retriever_id"])


async def _collections(visit: Visit, retriever: Retriever) -> list[str]:
    """By name where they are still there."""
    page = await visit.service(CollectionService).list(visit.principal, ListQuery(limit=_MOST_COLLECTIONS))
    names = {one.collection.collection_id: one.collection.name for one in page.items}
    return [names.get(one, one) for one in retriever.definition.collection_ids]
