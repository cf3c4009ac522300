"""Retrievers opened to the public, by those who may write in their namespace."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from tamis.engine.planning.inputs import schema_fields
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.secrets import Secrets
from tamis.errors import ConflictError, NotFoundError, QuotaExceededError, ValidationError
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.published import PublicLimits, PublishedRetriever
from tamis.model.retriever import Retriever
from tamis.services.public.passwords import Passwords
from tamis.services.runs.retrievers import find_retriever

PAGE_PATH = "/p"
"""Below it stand the search pages of what is published."""
_BOUND_TO = "published"
"""What a secret has to be bound to in order to be a published retriever's password: it goes to no host at all."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]")
_MOST_ORIGINS = 100
_FIELDS = frozenset({"display", "limits", "is_active", "allowed_origins", "shows_stages", "shares_template"})


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publisher asks for. display: None takes the retriever's own `display_config`.

    password: in the clear, only here.  password_secret_name: of a secret that holds it.
    """

    name: str
    display: dict[str, JSON] | None = None
    limits: PublicLimits = field(default_factory=PublicLimits)
    password: str | None = None
    password_secret_name: str | None = None
    allowed_origins: tuple[str, ...] = ()
    shows_stages: bool = True
    shares_template: bool = False


@dataclass(frozen=True, slots=True)
class PublishStats:
    """Of an organisation. most: published retrievers that it may have."""

    count: int
    most: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A published retriever with the retriever behind it."""

    published: PublishedRetriever
    retriever: Retriever


class PublishingService:
    """most: published retrievers of one organisation.  public_url: how visitors reach it, where not as asked."""

    def __init__(
        self, metadata: Metadata, clock: Clock, passwords: Passwords, secrets: Secrets, most: int = 100,
        public_url: str | None = None,
    ) -> None:  # fmt: skip
        self._public_url = public_url
        self._metadata = metadata
        self._clock = clock
        self._passwords = passwords
        self._secrets = secrets
        self._most = most

    def page_url(self, base_url: str, name: str) -> str:
        """The search page's permanent address. base_url: as this server was asked."""
        return f"{(self._public_url or base_url).rstrip('/')}{PAGE_PATH}/{name}"

    async def publish(self, principal: Principal, identifier: str, asked: Publication) -> Shown:
        """Raises: NotFoundError, ValidationError, AlreadyExistsError (name, or it is published), QuotaExceededError."""
        check_public_name(asked.name, ["body", "public_name"])
        _check_origins(asked.allowed_origins)
        retriever = await self._metadata.read(lambda session: find_retriever(session, principal, identifier))
        display = retriever.display_config if asked.display is None else asked.display
        _check_display(display, retriever)
        password = _Password(asked.password, asked.password_secret_name)
        password_hash = await self._password_hash(principal, password)
        now = self._clock.now()
        published = PublishedRetriever(
            public_id=new_id("pub"),
            retriever_id=retriever.retriever_id,
            name=asked.name,
            public_key=f"pk_{secrets.token_hex(20)}",
            display=display or {},
            created_at=now,
            updated_at=now,
            limits=asked.limits,
            password_hash=password_hash,
            password_secret_name=asked.password_secret_name,
            allowed_origins=asked.allowed_origins,
            shows_stages=asked.shows_stages,
            shares_template=asked.shares_template,
        )

        def insert(session: Session) -> Shown:
            found = find_retriever(session, principal, retriever.retriever_id)
            if session.published.of_retriever(principal, found.retriever_id) is None:
                self._check_room(session.published.count(principal))
            session.published.insert(principal, published)
            return Shown(published, found)

        return await self._metadata.write(insert)

    async def get(self, principal: Principal, identifier: str) -> Shown:
        """Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_published(session, principal, identifier))

    async def update(self, principal: Principal, identifier: str, changes: Mapping[str, Any]) -> Shown:
        """changes: fields of `Publication` but its name, and `is_active`; a password of "" takes it away.

        Raises: NotFoundError, ValidationError, ConflictError.
        """
        current = await self.get(principal, identifier)
        _check_origins(changes.get("allowed_origins", ()))
        if "display" in changes:
            _check_display(changes["display"], current.retriever)
        changed = replace(
            current.published,
            **{name: value for name, value in changes.items() if name in _FIELDS},
            **await self._password_changes(principal, changes),
            updated_at=self._clock.now(),
        )

        def store(session: Session) -> Shown:
            found = find_published(session, principal, current.retriever.retriever_id)
            if found.published != current.published:
                raise ConflictError("this published retriever was changed meanwhile; read it and try again")
            session.published.replace(principal, changed)
            return Shown(changed, found.retriever)

        return await self._metadata.write(store)

    async def unpublish(self, principal: Principal, identifier: str) -> None:
        """From now on its name opens nothing and is free. Raises: NotFoundError."""

        def delete(session: Session) -> None:
            found = find_published(session, principal, identifier)
            session.published.delete(principal, found.retriever.retriever_id)

        await self._metadata.write(delete)

    async def is_available(self, principal: Principal, identifier: str, name: str) -> bool:
        """Whether this retriever may be published under the name. Raises: NotFoundError, ValidationError (no name)."""
        check_public_name(name, ["query", "name"])

        def read(session: Session) -> bool:
            find_retriever(session, principal, identifier)
            return session.published.find(name) is None

        return await self._metadata.read(read)

    async def list(self, principal: Principal, limit: int, offset: int) -> Page[Shown]:
        """Those of the namespace that the caller may see, newest first."""

        def read(session: Session) -> list[Shown]:
            found = []
            for one in session.published.list(principal):
                retriever = session.retrievers.get(principal, one.retriever_id)
                if retriever is not None:
                    found.append(Shown(one, retriever))
            return found

        every = await self._metadata.read(read)
        return Page(every[offset : offset + limit], len(every), limit, offset)

    async def stats(self, principal: Principal) -> PublishStats:
        count = await self._metadata.read(lambda session: session.published.count(principal))
        return PublishStats(count, self._most)

    def _check_room(self, count: int) -> None:
        if count >= self._most:
            message = f"this organization has {count} of at most {self._most} published retrievers"
            raise QuotaExceededError(message, current=count, limit=self._most)

    async def _password_hash(self, principal: Principal, password: "_Password") -> str | None:
        loc: list[str | int] = ["body", "password"]
        if password.given is not None and password.secret_name is not None:
            raise ValidationError.at(loc, "give either password or password_secret_name")
        if password.secret_name is not None:
            value = self._secrets.resolve(principal, password.secret_name, _BOUND_TO)
            return await self._passwords.hash(value, ["body", "password_secret_name"])
        return None if password.given is None else await self._passwords.hash(password.given, loc)

    async def _password_changes(self, principal: Principal, changes: Mapping[str, Any]) -> dict[str, Any]:
        given, secret_name = changes.get("password"), changes.get("password_secret_name")
        if "password" not in changes and "password_secret_name" not in changes:
            return {}
        hashed = await self._password_hash(principal, _Password(given or None, secret_name))
        return {"password_hash": hashed, "password_secret_name": secret_name}


@dataclass(frozen=True, slots=True)
class _Password:
    given: str | None = field(default=None, repr=False)
    secret_name: str | None = None


def find_published(session: Session, principal: Principal, identifier: str) -> Shown:
    """By the retriever's id or name. Raises: NotFoundError."""
    retriever = find_retriever(session, principal, identifier)
    found = session.published.of_retriever(principal, retriever.retriever_id)
    if found is None:
        raise NotFoundError(f"retriever {identifier!r} is not published", resource="published retriever")
    return Shown(found, retriever)


def check_public_name(name: str, loc: list[str | int]) -> None:
    """Raises: ValidationError."""
    if not (3 <= len(name) <= 50 and _NAME.fullmatch(name)):
        message = "3 to 50 small letters, digits and hyphens, beginning and ending with a letter or a digit"
        raise ValidationError.at(loc, message)


def _check_display(display: Mapping[str, Any] | None, retriever: Retriever) -> None:
    """Raises: ValidationError where nothing says what leaves, or an input is none of the retriever's."""
    loc: list[str | int] = ["body", "display_config"]
    if not display:
        raise ValidationError.at(loc, "say with title, inputs and exposed_fields what the public gets to see")
    declared = schema_fields(retriever.definition.input_schema)
    for place, one in enumerate(display["inputs"]):
        if declared and one["field_name"] not in declared:
            known = ", ".join(sorted(declared))
            here = [*loc, "inputs", place, "field_name"]
            raise ValidationError.at(here, f"{one['field_name']!r} is no input of this retriever; it has {known}")


def _check_origins(origins: Sequence[str]) -> None:
    """Raises: ValidationError."""
    if len(origins) > _MOST_ORIGINS:
        raise ValidationError.at(["body", "allowed_origins"], f"at most {_MOST_ORIGINS}")
    for place, origin in enumerate(origins):
        if origin != "*" and not _is_origin(origin):
            message = "an origin as browsers send it, https://shop.example or http://localhost:3000, or *"
            raise ValidationError.at(["body", "allowed_origins", place], message)


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch(r"[a-z0-9.:-]+", host):
        return False
    named = f"[{host}]" if ":" in host else host
    return text == f"{parts.scheme}://{named}{'' if port is None else f':{port}'}"
