"""A published retriever's search page: open to everybody, with nothing on it but what its publisher shows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tamis.auth.addresses import Addresses
from tamis.errors import NotFoundError, PublicSearchError, TamisError, TooManyRequestsError, ValidationError
from tamis.model.interaction import InteractionType
from tamis.model.json import JSON
from tamis.services.data.blob_links import BlobLinks
from tamis.services.public.exposure import exposed
from tamis.services.public.public_limits import Visitor, check
from tamis.services.public.public_retrievers import GRANT_S, Answered, Door, PublicRetrievers, Visit
from tamis.services.public.publishing import PAGE_PATH, PublishingService
from tamis.services.records.sieves import SieveService
from tamis.services.runs.result_pages import PageMethod, PageRequest
from tamis.studio import fields, search_inputs
from tamis.studio.assets import assets
from tamis.studio.earlier_searches import files_of
from tamis.studio.field_formats import origin_of
from tamis.studio.languages import Language, preferred
from tamis.studio.markdown import pictures_of
from tamis.studio.narrowing import Facet, Value, facets_of, filters_of, parameters_of, read_where
from tamis.studio.result_cards import ResultCard, ResultCards, origins_of
from tamis.studio.search_engines import meta_tags, structured_data
from tamis.studio.search_inputs import Control
from tamis.studio.security import public_headers
from tamis.studio.templating import render
from tamis.studio.themes import style_sheet
from tamis.studio.visit import check_origin, language_of

GRANT_COOKIE = "tamis_grant"
PAGE_SIZE = 24
_PAGE, _EMBED, _OF = ".page", ".embed", ".of"
"""In the address beside the inputs, whose names never begin with a dot."""
_MOST_PAGES = 1_000
_HOUR = "public, max-age=3600"
_DAY = "public, max-age=86400, immutable"

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Opened:
    """One request of a visitor. display: checked and whole.  asked: what he filled in, by input.

    where: what he narrowed it by.
    """

    request: Request
    door: Door
    display: Mapping[str, Any]
    visit: Visit
    asked: Mapping[str, str]
    where: Mapping[str, Value]

    def service(self, kind: type[S]) -> S:
        return cast(S, self.request.app.state.services[kind])

    @property
    def is_embedded(self) -> bool:
        return self.request.query_params.get(_EMBED) == "1"

    @property
    def address(self) -> str:
        return f"{PAGE_PATH}/{self.door.published.name}"

    @property
    def locale(self) -> str:
        """What its publisher says that the page is written in, as HTML writes it; empty where he says nothing."""
        return str((self.display["seo"] or {}).get("locale") or "").replace("_", "-")

    @property
    def language(self) -> Language:
        """The publisher's, so that a page is in one language; where he says nothing, the visitor's."""
        return preferred(self.locale) if self.locale else language_of(self.request)

    @property
    def earlier(self) -> str:
        """The search whose files this one is asked with; empty where it has its own, or none."""
        return self.request.query_params.get(_OF, "")

    def leading(
        self, asked: Mapping[str, str], page: int = 1, of: str = "", where: Mapping[str, Value] | None = None
    ) -> str:
        """The address of a search."""
        own = {_PAGE: str(page) if page > 1 else "", _OF: of, _EMBED: "1" if self.is_embedded else ""}
        query = urlencode({**asked, **parameters_of(where or {}), **{name: text for name, text in own.items() if text}})
        return f"{self.address}?{query}" if query else self.address


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. problems: what is wrong with it, or why there is nothing to show."""

    cards: Sequence[ResultCard] = ()
    facets: Sequence[Facet] = ()
    total: int = 0
    page: int = 1
    has_next: bool = False
    execution_id: str = ""
    problems: Sequence[str] = field(default_factory=tuple)
    status: int = 200
    retry_after_s: int | None = None


Handler = Callable[[Opened], Awaitable[Response]]


def public(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a page without a sign-in. What is not there, or fails, is told without a word of the inside."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(await _open(request))
        except TamisError as error:
            return _failed(request, error)

    return endpoint


async def show(opened: Opened) -> Response:
    controls = search_inputs.controls_of(opened.display, opened.asked)
    if not opened.service(PublicRetrievers).opens(opened.door, opened.visit):
        return _page(opened, controls, None, is_locked=True)
    is_asked = bool(opened.earlier) or any(one.name in opened.asked for one in controls)
    if opened.display["components"]["show_search"] and not is_asked:
        return _page(opened, controls, None)
    earlier, files = opened.earlier, dict[str, JSON]()
    if earlier:
        try:
            files = await files_of(opened.service(SieveService), opened.door, earlier, controls)
        except NotFoundError:
            told = Found(problems=(opened.language("public.forgotten"),), status=404)
            return _page(opened, controls, told)
    return _page(opened, controls, await _searched(opened, controls, files))


async def search_by_file(opened: Opened) -> Response:
    """A form with a file comes as a change does: a file has no place in an address."""
    check_origin(opened.request)
    controls = search_inputs.controls_of(opened.display, opened.asked)
    form = await opened.request.form(max_files=10, max_fields=200)
    asked = {name: value for name, value in form.items() if isinstance(value, str)}
    opened = replace(opened, asked=asked)
    if not opened.service(PublicRetrievers).opens(opened.door, opened.visit):
        return _page(opened, controls, None, is_locked=True)
    files = await search_inputs.file_inputs(controls, dict(form))
    controls = search_inputs.controls_of(opened.display, asked)
    return _page(opened, controls, await _searched(opened, controls, files))


async def unlock(opened: Opened) -> Response:
    check_origin(opened.request)
    form = await opened.request.form(max_files=0, max_fields=10)
    password, name = str(form.get("password") or "")[:1024], opened.door.published.name
    public_retrievers = opened.service(PublicRetrievers)
    _, grant, _ = await public_retrievers.unlock(name, password, opened.visit.visitor)
    if grant is None:
        return _page(opened, (), None, is_locked=True, status=401, wrong=True)
    response = RedirectResponse(opened.leading({}), 303, dict(_headers(opened, None)))
    response.headers.append("set-cookie", _grant_cookie(opened, grant))
    return response


async def tell(opened: Opened) -> Response:
    """That a visitor followed a result, which the page's script says."""
    check_origin(opened.request)
    form = await opened.request.form(max_files=0, max_fields=10)
    told: dict[str, Any] = {
        "feature_id": str(form.get("document") or "")[:255],
        "types": (InteractionType.CLICK,),
        "position": fields.whole(str(form.get("place") or "0"), "place", 0, 10_000_000),
        "execution_id": str(form.get("execution") or "")[:128] or None,
    }
    decision, _ = await opened.service(PublicRetrievers).interact(opened.door, opened.visit, [told])
    check(decision)
    return Response(status_code=204)


async def theme(opened: Opened) -> Response:
    headers = {"cache-control": _DAY if "v" in opened.request.query_params else "no-cache"}
    return Response(style_sheet(opened.display), media_type="text/css", headers=headers)


async def embed(opened: Opened) -> Response:
    """The script that other sites' pages have: it puts the page there, as high as it is."""
    headers = {"cache-control": _HOUR, "cross-origin-resource-policy": "cross-origin"}
    return Response(assets()["embed.js"].content, media_type="text/javascript; charset=utf-8", headers=headers)


async def _open(request: Request) -> Opened:
    """Raises: NotFoundError, TooManyRequestsError (one address looks too often)."""
    services = request.app.state.services
    addresses: Addresses = services[Addresses]
    public_retrievers: PublicRetrievers = services[PublicRetrievers]
    check(await public_retrievers.look(Visitor(addresses.of(request.scope))))
    door = await public_retrievers.find(request.path_params["name"])
    visit = Visit(
        Visitor(addresses.of(request.scope)), door.published.public_key, grant=request.cookies.get(GRANT_COOKIE)
    )
    display = request.app.state.read_display(door.published.display)
    asked = {name: value for name, value in request.query_params.items() if not name.startswith(".")}
    return Opened(request, door, display, visit, asked, read_where(display, request.query_params))


async def _searched(opened: Opened, controls: Sequence[Control], files: Mapping[str, JSON]) -> Found:
    number = fields.whole(opened.request.query_params.get(_PAGE, ""), _PAGE, 1, _MOST_PAGES) or 1
    public_retrievers = opened.service(PublicRetrievers)
    try:
        inputs = {**search_inputs.inputs_of(controls, opened.asked), **files}
        check(await public_retrievers.admit(opened.door, opened.visit))
        wanted = PageRequest(PageMethod.OFFSET, PAGE_SIZE, (number - 1) * PAGE_SIZE)
        answered = await public_retrievers.execute(opened.door, opened.visit, inputs, wanted, filters_of(opened.where))
    except TamisError as error:
        if error.status == 404:
            raise
        return _refused(opened, error, controls, number)
    return _found(opened, answered, number)


def _found(opened: Opened, answered: Answered, number: int) -> Found:
    executed, published = answered.executed, opened.door.published
    documents = exposed(executed.documents, published.exposed_fields, _link(opened))
    return Found(
        cards=ResultCards(opened.display, datetime.now(UTC)).of(documents),
        facets=facets_of(opened.display, executed.documents, opened.where),
        total=int(cast(int, executed.pagination["total"])),
        page=number,
        has_next=bool(executed.pagination["has_next"]),
        execution_id=executed.execution_id,
    )


def _refused(opened: Opened, error: TamisError, controls: Sequence[Control], number: int) -> Found:
    t = opened.language
    if isinstance(error, TooManyRequestsError):
        wait_s = max(1, round(error.retry_after_s))
        return Found(page=number, problems=(t("public.wait", n=wait_s),), status=429, retry_after_s=wait_s)
    if isinstance(error, PublicSearchError):
        return Found(
            page=number, problems=(t("public.failed", id=error.details.get("execution_id", "–")),), status=error.status
        )
    labels = {one.name: one.label for one in controls}
    if isinstance(error, ValidationError) and error.problems:
        told = [(str(one["loc"][2]) if len(one["loc"]) > 2 else "", str(one["msg"])) for one in error.problems]
        return Found(page=number, problems=[f"{labels.get(name, name)}: {says}" for name, says in told], status=422)
    return Found(page=number, problems=(error.message,), status=error.status)


def _link(opened: Opened) -> Callable[[str, str | None, str | None], str | None]:
    links = opened.service(BlobLinks)

    def link(url: str, content_type: str | None, filename: str | None) -> str | None:
        """A stored file by its path alone: a page asks the server that it came from."""
        found = links.url(opened.door.principal, url, "http://studio", content_type, filename)
        return urlsplit(found).path if found and not url.startswith(("http://", "https://")) else found

    return link


def _page(
    opened: Opened, controls: Sequence[Control], found: Found | None, is_locked: bool = False, status: int = 200,
    **more: Any,
) -> Response:  # fmt: skip
    t, seo = opened.language, opened.display["seo"] or {}
    address = opened.service(PublishingService).page_url(str(opened.request.base_url), opened.door.published.name)
    canonical = str(seo.get("canonical_url") or address)
    has_files = any(one.kind == "file" for one in controls)
    values: dict[str, Any] = {
        "t": t,
        "display": opened.display,
        "seo": seo,
        "locale": opened.locale or t.code,
        "canonical": canonical,
        "opened": opened,
        "address": opened.address,
        "tags": meta_tags(opened.display, canonical),
        "structured": structured_data(opened.display, canonical),
        "theme_version": f"{opened.door.published.updated_at.timestamp():.0f}",
        "controls": controls,
        "has_files": has_files,
        "of": (opened.earlier or (found.execution_id if found else "")) if has_files else "",
        "found": found,
        "page_size": PAGE_SIZE,
        "is_locked": is_locked,
        "wrong": False,
        **more,
    }
    headers = dict(_headers(opened, found, is_locked))
    if found is not None and found.retry_after_s is not None:
        headers["retry-after"] = str(found.retry_after_s)
    return HTMLResponse(render("published.html", values), found.status if found else status, headers)


def _headers(opened: Opened, found: Found | None, is_locked: bool = False) -> Mapping[str, str]:
    display = opened.display
    own = [display["logo_url"], (display["seo"] or {}).get("favicon_url")]
    if not is_locked:
        own += [one for part in display["markdowns"] for one in pictures_of(part["content"])]
    pictures = {origin for one in own if one and (origin := origin_of(one)) is not None}
    return public_headers(opened.door.published.allowed_origins, pictures | origins_of(found.cards if found else ()))


def _grant_cookie(opened: Opened, grant: str) -> str:
    """For this page alone. Within another site's page a browser keeps it apart, and only where all is encrypted."""
    is_secure = opened.request.url.scheme == "https"
    framed = is_secure and bool(opened.door.published.allowed_origins)
    rest = "; SameSite=None; Secure; Partitioned" if framed else f"; SameSite=Strict{'; Secure' if is_secure else ''}"
    return f"{GRANT_COOKIE}={grant}; Path={opened.address}; Max-Age={GRANT_S}; HttpOnly{rest}"


def _failed(request: Request, error: TamisError) -> Response:
    t = language_of(request)
    told = t("public.absent") if isinstance(error, NotFoundError) else error.message
    values = {"t": t, "message": told, "status": error.status}
    headers = dict(public_headers((), ()))
    if isinstance(error, TooManyRequestsError):
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    return HTMLResponse(render("published_problem.html", values), error.status, headers)
