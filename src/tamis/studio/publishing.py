"""Publish a retriever, change how it is published, and take it down: forms over its display configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from tamis.engine.planning.inputs import schema_fields
from tamis.errors import BadRequestError, TamisError
from tamis.model.published import LimitTier, PublicLimits, PublishedRetriever
from tamis.model.retriever import Retriever
from tamis.services.data.collections import CollectionService
from tamis.services.listing import ListQuery
from tamis.services.public.publishing import Publication, PublishingService
from tamis.services.runs.retrievers import RetrieverService
from tamis.studio import fields
from tamis.studio.retrievers import identifier, published, urls
from tamis.studio.visit import Visit

_MOST_COLLECTIONS = 1000
_NUMBERS = ("per_minute", "per_hour", "per_day", "address_per_hour", "visitor_per_minute", "visitor_per_hour",
            "visitor_per_day")  # fmt: skip
_MOST_RATE = 1_000_000_000
_THEME = ("primary_color", "background_color", "text_color")


@dataclass(frozen=True, slots=True)
class InputRow:
    """An input of the retriever, and how visitors see it where they fill it in."""

    name: str
    is_asked: bool
    label: str
    placeholder: str = ""


async def show(visit: Visit) -> Response:
    retriever = await visit.service(RetrieverService).get(visit.principal, identifier(visit))
    shown = await published(visit, retriever)
    display = _display_of(visit, retriever, shown.published if shown else None)
    return visit.page(
        "publish.html",
        retriever=retriever,
        shown=shown,
        display=display,
        limits=shown.published.limits if shown else PublicLimits(),
        numbers=_NUMBERS,
        tiers=list(LimitTier),
        inputs=_rows(retriever, display["inputs"]),
        known_fields=await _known_fields(visit, retriever),
        stats=await visit.service(PublishingService).stats(visit.principal),
        **urls(visit, shown),
    )


async def availability(visit: Visit) -> Response:
    """While the name is typed."""
    name = visit.asked("name")
    try:
        free = await visit.service(PublishingService).is_available(visit.principal, identifier(visit), name)
    except TamisError as error:
        return visit.page("_availability.html", name=name, free=False, problem=error.message.rpartition(": ")[2])
    return visit.page("_availability.html", name=name, free=free, problem=None)


async def publish(visit: Visit) -> Response:
    retriever = await visit.service(RetrieverService).get(visit.principal, identifier(visit))
    asked = Publication(
        name=visit.field("name"),
        display=_read_display(visit, retriever, None),
        limits=_limits(visit, PublicLimits()),
        password=visit.field("password") or None,
        allowed_origins=fields.listed(visit.field("origins")),
        shows_stages=visit.field("shows_stages") == "yes",
        shares_template=visit.field("shares_template") == "yes",
    )
    await visit.service(PublishingService).publish(visit.principal, retriever.retriever_id, asked)
    return visit.moved(f"/retrievers/{retriever.retriever_id}/publish")


async def change(visit: Visit) -> Response:
    shown = await visit.service(PublishingService).get(visit.principal, identifier(visit))
    changes: dict[str, Any] = {
        "display": _read_display(visit, shown.retriever, shown.published),
        "limits": _limits(visit, shown.published.limits),
        "allowed_origins": fields.listed(visit.field("origins")),
        "shows_stages": visit.field("shows_stages") == "yes",
        "shares_template": visit.field("shares_template") == "yes",
        "is_active": visit.field("is_active") == "yes",
    }
    if visit.field("password") or visit.field("no_password") == "yes":
        changes["password"] = "" if visit.field("no_password") == "yes" else visit.field("password")
    await visit.service(PublishingService).update(visit.principal, shown.retriever.retriever_id, changes)
    return visit.moved(f"/retrievers/{shown.retriever.retriever_id}/publish")


async def unpublish(visit: Visit) -> Response:
    retriever = await visit.service(RetrieverService).get(visit.principal, identifier(visit))
    await visit.service(PublishingService).unpublish(visit.principal, retriever.retriever_id)
    return visit.moved(f"/retrievers/{retriever.retriever_id}")


def _display_of(visit: Visit, retriever: Retriever, shown: PublishedRetriever | None) -> dict[str, Any]:
    """As it is published, else as the retriever says, else what its inputs suggest."""
    given: Mapping[str, Any] | None = shown.display if shown else retriever.display_config
    if not given:
        inputs = [_suggested(name, one) for name, one in schema_fields(retriever.definition.input_schema).items()]
        given = {"title": retriever.name, "inputs": inputs[:1] or [_suggested("query", {"type": "text"})],
                 "exposed_fields": ["title"]}  # fmt: skip
    read: dict[str, Any] = visit.request.app.state.read_display(given)
    return read


def _suggested(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: schema[key] for key in ("type", "enum", "default", "description") if key in schema}
    return {
        "field_name": name, "field_schema": known, "label": _label(name), "required": bool(schema.get("required")),
    }  # fmt: skip


def _rows(retriever: Retriever, asked: Sequence[Mapping[str, Any]]) -> list[InputRow]:
    """Those that visitors fill in, in their order, then the retriever's other ones."""
    shown = [InputRow(one["field_name"], True, one["label"], one["placeholder"] or "") for one in asked]
    known = {one.name for one in shown}
    declared = schema_fields(retriever.definition.input_schema)
    return shown + [InputRow(name, False, _label(name)) for name in declared if name not in known]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _read_display(visit: Visit, retriever: Retriever, shown: PublishedRetriever | None) -> dict[str, Any]:
    """What the form says, over what was there: the form has not everything. Raises: as `read_display`."""
    display = _display_of(visit, retriever, shown)
    if visit.field("written") == "json":
        display = fields.json_object(visit.field("display"), "display")
    else:
        display = {**display, **_formed(visit, retriever, display)}
    read: dict[str, Any] = visit.request.app.state.read_display(display)
    return read


def _formed(visit: Visit, retriever: Retriever, display: Mapping[str, Any]) -> dict[str, Any]:
    card = display["components"]["result_card"]
    switches = {name: visit.field(name) == "yes" for name in ("show_score", "show_thumbnail")}
    content = visit.field("markdown")
    about = [{"title": visit.field("markdown_title") or visit.field("title"), "content": content}] if content else []
    return {
        "title": visit.field("title"),
        "description": visit.field("description") or None,
        "logo_url": visit.field("logo_url") or None,
        "inputs": _inputs(visit, retriever, display["inputs"]),
        "exposed_fields": list(fields.listed(visit.field("exposed"))),
        "theme": {**display["theme"], **{name: visit.field(name) for name in _THEME if visit.field(name)}},
        "layout": {**display["layout"], "columns": fields.whole(visit.field("columns", "3"), "columns", 1, 6) or 3},
        "components": {**display["components"], "result_card": {**card, **switches}},
        "markdowns": [*about, *display["markdowns"][1:]],
    }


def _inputs(visit: Visit, retriever: Retriever, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those that are checked, each with its label and placeholder. Raises: BadRequestError where none is."""
    declared = schema_fields(retriever.definition.input_schema)
    known = {one["field_name"]: one for one in before}
    asked = []
    for place, name in enumerate(visit.chosen("input")):
        base = known.get(name) or _suggested(name, declared.get(name) or {"type": "text"})
        words = {"label": visit.field(f"label.{name}") or base["label"]}
        words["placeholder"] = visit.field(f"placeholder.{name}") or None
        asked.append({**base, **words, "order": place})
    if not asked:
        raise BadRequestError("input: at least one that visitors fill in", field="input")
    return asked


def _limits(visit: Visit, before: PublicLimits) -> PublicLimits:
    given: dict[str, Any] = {name: fields.whole(visit.field(name), name, 1, _MOST_RATE) for name in _NUMBERS}
    return replace(
        before,
        **given,
        tier=fields.choice(visit.field("tier", LimitTier.STANDARD), "tier", LimitTier),
        per_address=given["address_per_hour"] is not None,
        visitor_credits_per_day=fields.number(visit.field("visitor_credits_per_day"), "visitor_credits_per_day")
        or None,
        max_results=fields.whole(visit.field("max_results", "100"), "max_results", 1, 1000) or 100,
    )


async def _known_fields(visit: Visit, retriever: Retriever) -> list[str]:
    """Names that documents of its collections have, as far as their definitions say."""
    page = await visit.service(CollectionService).list(visit.principal, ListQuery(limit=_MOST_COLLECTIONS))
    wanted = retriever.definition.collection_ids
    found = [one.collection for one in page.items if not wanted or one.collection.collection_id in wanted]
    names = [name for one in found for name in schema_fields(one.output_schema)]
    return list(dict.fromkeys([*names, "document_blobs"]))
