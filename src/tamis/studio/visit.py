"""One request of a signed-in person: who asks, where they are, and how they are answered."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tamis.auth.sessions import Session, Sessions
from tamis.engine.change import in_one_change
from tamis.errors import BadRequestError, ForbiddenError, NotFoundError
from tamis.model.limits import OperationKind
from tamis.model.namespace import Namespace
from tamis.model.principal import Permission, Principal
from tamis.services.access.admission import Admission
from tamis.services.data.namespaces import NamespaceService
from tamis.studio.languages import Language, languages, preferred
from tamis.studio.security import HEADERS
from tamis.studio.templating import render

SESSION_COOKIE = "tamis_session"
NAMESPACE_COOKIE = "tamis_namespace"
THEME_COOKIE = "tamis_theme"
LANGUAGE_COOKIE = "tamis_language"
THEMES = ("auto", "light", "dark")
_MOST_NAMESPACES = 1000

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Visit:
    """principal: within `namespace`.  form: what a change sent, with its token checked; empty where nothing changes."""

    request: Request
    session: Session
    principal: Principal
    namespace: Namespace
    namespaces: tuple[Namespace, ...]
    form: FormData

    def service(self, kind: type[S]) -> S:
        return cast(S, self.request.app.state.services[kind])

    @property
    def language(self) -> Language:
        return language_of(self.request)

    @property
    def is_partial(self) -> bool:
        """Whether a page's script asks, for a part of the page alone."""
        return is_partial(self.request)

    async def within(self, namespace: Namespace) -> "Visit":
        """The same request, in another of the key's namespaces. Raises: ForbiddenError, NotFoundError."""
        principal = await self.service(Sessions).enter(self.session, namespace.namespace_id, Permission.READ)
        return replace(self, namespace=namespace, principal=principal)

    async def ruling(self) -> Principal:
        """For what concerns the whole organisation and is its administrators'. Raises: ForbiddenError."""
        return await self.service(Sessions).rule(self.session, Permission.ADMIN)

    @property
    def may_rule(self) -> bool:
        return self.principal.may(Permission.ADMIN) and not self.principal.scopes

    async def found(self, noun: str, look: Callable[["Visit"], Awaitable[S]]) -> tuple["Visit", S]:
        """What `look` finds, and the visit in the namespace where that is: an address holds whichever was chosen last.

        Raises: NotFoundError where no namespace of the key has such a noun.
        """
        missing = NotFoundError(f"there is no such {noun}")
        for namespace in (self.namespace, *(one for one in self.namespaces if one != self.namespace)):
            inside = self if namespace == self.namespace else await self.within(namespace)
            try:
                return inside, await look(inside)
            except NotFoundError as error:
                if error.details.get("resource") != noun:
                    raise
                missing = error
        raise missing

    @contextmanager
    def making(self, noun: str) -> Iterator[None]:
        """A change that makes one more of a noun, such as `retrievers`, within the caller's quota."""
        quota = self.service(Admission).quota(self.principal, noun)
        with in_one_change() as change:
            if quota is not None:
                change.before.append(quota)
            yield

    def field(self, name: str, default: str = "") -> str:
        """Of the form that was sent. Raises: BadRequestError where it is a file."""
        value = self.form.get(name, default)
        if not isinstance(value, str):
            raise BadRequestError(f"{name} is a text, not a file", field=name)
        return value.strip()

    def chosen(self, name: str) -> tuple[str, ...]:
        """All that was sent under the name, such as boxes that were checked."""
        return tuple(value for value in self.form.getlist(name) if isinstance(value, str) and value)

    def asked(self, name: str, default: str = "") -> str:
        """Of the address."""
        return self.request.query_params.get(name, default).strip()

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        shared: dict[str, Any] = {
            "session": self.session,
            "namespace": self.namespace,
            "namespaces": self.namespaces,
            "may_write": self.principal.may(Permission.WRITE),
            "may_delete": self.principal.may(Permission.DELETE),
            "may_rule": self.may_rule,
        }
        return page(self.request, template, status, **{**shared, **values})

    def moved(self, url: str) -> Response:
        """Go on elsewhere: after a change, so that a reload does not repeat it."""
        return moved(self.request, url)


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    known = {
        "t": language_of(request),
        "theme": theme_of(request),
        "languages": languages().values(),
        "path": request.url.path,
        "here": _here(request),
        "session": None,
        "namespaces": (),
        "namespace": None,
        "status": status,
        **values,
    }
    return HTMLResponse(render(template, known), status, HEADERS)


def _here(request: Request) -> str:
    """Where a choice of this browser leads back to: a page, with what it was asked; of a change, its path."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def moved(request: Request, url: str) -> Response:
    if is_partial(request):
        return Response(status_code=204, headers={**HEADERS, "hx-redirect": url})
    return RedirectResponse(url, 303, HEADERS)


def language_of(request: Request) -> Language:
    return preferred(request.headers.get("accept-language"), request.cookies.get(LANGUAGE_COOKIE))


def theme_of(request: Request) -> str:
    theme = request.cookies.get(THEME_COOKIE, THEMES[0])
    return theme if theme in THEMES else THEMES[0]


def is_partial(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def signed_in(
    handler: Handler, permission: Permission = Permission.READ, kind: OperationKind = OperationKind.DATA
) -> Endpoint:
    """The endpoint of a page: it asks for a session, a namespace, the permission and, for a change, the token.

    kind: by which of the caller's rates it counts.
    """

    async def endpoint(request: Request) -> Response:
        return await handler(await _enter(request, permission, kind))

    return endpoint


async def _enter(request: Request, permission: Permission, kind: OperationKind) -> Visit:
    services: Mapping[type[Any], Any] = request.app.state.services
    sessions: Sessions = services[Sessions]
    session = sessions.open(request.cookies.get(SESSION_COOKIE))
    form = await _checked_form(request, session)
    person = await sessions.identify(session, permission)
    admitted = await services[Admission].admit(person, kind)
    if admitted is not None and admitted.refusal is not None:
        raise admitted.refusal
    namespaces = tuple((await services[NamespaceService].all(person))[:_MOST_NAMESPACES])
    namespace = _chosen(namespaces, request.cookies.get(NAMESPACE_COOKIE))
    principal = await sessions.enter(session, namespace.namespace_id, permission)
    return Visit(request, session, principal, namespace, namespaces, form)


async def _checked_form(request: Request, session: Session) -> FormData:
    if request.method in ("GET", "HEAD"):
        return FormData()
    check_origin(request)
    form = await request.form(max_files=0, max_fields=2000)
    token = request.headers.get("x-csrf-token") or form.get("csrf")
    session.check(token if isinstance(token, str) else None)
    return form


def check_origin(request: Request) -> None:
    """Raises: ForbiddenError where the browser says that another site's page sent this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise ForbiddenError("this was sent by a page of another site")


def _chosen(namespaces: tuple[Namespace, ...], wanted: str | None) -> Namespace:
    if not namespaces:
        raise NotFoundError("this key sees no namespace; ask for one that does, or create a namespace")
    named = [one for one in namespaces if wanted in (one.namespace_id, one.name)]
    default = [one for one in namespaces if one.name == "default"]
    return (named or default or list(namespaces))[0]
