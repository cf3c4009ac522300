"""Published retrievers as their visitors meet them: nothing here takes an API key."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.rates import Decision
from tamis.errors import (
    BadRequestError,
    CreditsSpentError,
    DecodeError,
    ForbiddenError,
    NotFoundError,
    PublicInputsError,
    PublicSearchError,
    PublicSearchUnavailableError,
    StageError,
    TamisError,
    TooManyRequestsError,
    ValidationError,
    VisitorRefusedError,
)
from tamis.model.ids import new_id
from tamis.model.interaction import Interaction
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Client, Permission, Principal
from tamis.model.published import PublishedRetriever
from tamis.model.retriever import Retriever
from tamis.services.access.signing import Signer
from tamis.services.public.passwords import Passwords
from tamis.services.public.public_limits import PublicRates, Visitor, check
from tamis.services.records.fusion_crediting import keep
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.learnt_weights import today
from tamis.services.runs.result_pages import PageRequest

GRANT_S = 3600
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Door:
    """A published retriever that is open. principal: who may do nothing yet, in its namespace."""

    principal: Principal
    published: PublishedRetriever


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes, and what he shows. grant: what `unlock` gave him.  narrowed: whom a client token lets him be."""

    visitor: Visitor
    public_key: str = ""
    password: str | None = field(default=None, repr=False)
    grant: str | None = field(default=None, repr=False)
    narrowed: Principal | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """door: what of the execution leaves follows from it."""

    door: Door
    executed: Executed


@dataclass(frozen=True, slots=True)
class Directory:
    """page: a window of what is published and active.  open, locked: of all of it, by whether a password is asked."""

    page: Page[PublishedRetriever]
    open: int
    locked: int


class PublicRetrievers:
    def __init__(
        self,
        metadata: Metadata,
        executions: ExecutionService,
        passwords: Passwords,
        rates: PublicRates,
        secret: bytes,
        clock: Clock,
    ) -> None:
        """secret: 32 bytes that only this installation knows."""
        self._metadata = metadata
        self._executions = executions
        self._passwords = passwords
        self._rates = rates
        self._secret = secret
        self._signer = Signer(secret, "public visit")
        # Who sends a right password with each request makes no guesses, and is not to cost a hash each time.
        self._right: set[bytes] = set()
        self._clock = clock

    async def find(self, name: str) -> Door:
        """Raises: NotFoundError, also where it is not active."""
        found = await self._metadata.read_now(lambda session: _find(session, name))
        if found is None:
            raise NotFoundError(f"there is no published retriever {name!r}", resource="published retriever")
        return found

    async def behind(self, door: Door) -> Retriever:
        """The retriever itself, for what of it may be told. Raises: NotFoundError."""
        return await self._metadata.read_now(lambda session: _behind(session, door))

    async def directory(self, search: str | None, limit: int, offset: int) -> Directory:
        """What this server shows to everybody, newest first. search: in names and titles, whatever their case."""
        every = await self._metadata.read(lambda session: session.published.active())
        wanted = (search or "").casefold()
        found = [one for one in every if wanted in f"{one.name} {one.display.get('title', '')}".casefold()]
        locked = sum(one.password_hash is not None for one in found)
        page = Page(found[offset : offset + limit], len(found), limit, offset)
        return Directory(page, len(found) - locked, locked)

    async def unlock(self, name: str, password: str, visitor: Visitor) -> tuple[Door, str | None, int]:
        """The grant that a right password gives, None for a wrong one, and when it ends, in seconds since 1970.

        Raises: NotFoundError, TooManyRequestsError.
        """
        door = await self.find(name)
        expires = int(self._clock.now().timestamp()) + GRANT_S
        if not await self._is_password(door, password, visitor):
            return door, None, expires
        return door, self._signer.sign([door.published.public_id, _mark(door.published)], expires), expires

    def opens(self, door: Door, visit: Visit) -> bool:
        """Whether no password stands before it, or the visitor's grant does for it."""
        return door.published.password_hash is None or (
            visit.grant is not None and self._holds(door.published, visit.grant)
        )

    async def look(self, visitor: Visitor) -> Decision:
        """One look at what is shown without asking anything; `check` says whether it was granted."""
        return await self._rates.look(visitor)

    async def admit(self, door: Door, visit: Visit) -> Decision:
        """Let the visitor in to search once. The decision is told to him, refused or not (`public_limits.check`).

        Raises: VisitorRefusedError, TooManyRequestsError (passwords).
        """
        _check_key(door, visit)
        await self._check_lock(door, visit)
        return await self._rates.search(door.published, visit.visitor)

    async def execute(
        self, door: Door, visit: Visit, inputs: Mapping[str, JSON], page: PageRequest, filters: JSON = None
    ) -> Answered:
        """Search for a visitor that was admitted; recorded with the mode `public`.

        filters: as `RunOptions` has them; the caller sees to it that they name exposed fields alone.
        Raises: ValidationError (inputs, pagination), PublicSearchError, TooManyRequestsError.
        """
        _check_inputs(door.published, inputs)
        options = RunOptions(inputs=inputs, filters=filters, page=page, most=door.published.limits.max_results)
        principal = _principal(door, visit)
        try:
            executed = await self._executions.execute_saved(principal, door.published.retriever_id, options)
        except TamisError as error:
            raise _told(error) from error
        return Answered(door, executed)

    async def interact(
        self, door: Door, visit: Visit, some: Sequence[Mapping[str, Any]]
    ) -> tuple[Decision, Sequence[Interaction]]:
        """Keep what a visitor did with what he was shown. some: fields of `Interaction` by name.

        Raises: VisitorRefusedError; nothing is kept where the decision refuses.
        """
        _check_key(door, visit)
        await self._check_lock(door, visit)
        decision = await self._rates.interact(door.published, visit.visitor, len(some))
        check(decision)
        now, published = self._clock.now(), door.published
        made = [
            Interaction(
                interaction_id=new_id("int"), at=now, retriever_id=published.retriever_id,
                **{**one, "session_id": one.get("session_id") or visit.session_id},
            )
            for one in some
        ]  # fmt: skip
        await self._metadata.write(lambda session: keep(session, door.principal, made, today(self._clock)))
        return decision, made

    async def _check_lock(self, door: Door, visit: Visit) -> None:
        if self.opens(door, visit):
            return
        if visit.password is None or not await self._is_password(door, visit.password, visit.visitor):
            raise VisitorRefusedError("this search asks for a password: send it once to /verify, then the grant")

    def _holds(self, published: PublishedRetriever, grant: str) -> bool:
        """Another password ends the grants that the one before gave."""
        try:
            claims = self._signer.claims(grant, "", "")
        except ForbiddenError:
            return False
        return claims == [published.public_id, _mark(published)]

    async def _is_password(self, door: Door, password: str, visitor: Visitor) -> bool:
        published = door.published
        if published.password_hash is None:
            return True
        seal = hmac.digest(self._secret, f"{published.public_id} {_mark(published)} {password}".encode(), "sha256")
        if seal in self._right:
            return True
        await self._rates.guess(published, visitor)
        if not await self._passwords.holds(published.password_hash, password):
            return False
        if len(self._right) >= _REMEMBERED:
            self._right.clear()
        self._right.add(seal)
        return True


def _find(session: Session, name: str) -> Door | None:
    """With the tier of the organisation that it belongs to, whose limits hold for its visitors too."""
    found = session.published.find(name)
    if found is None or not found[1].is_active:
        return None
    organization = session.organizations.get(found[0])
    return None if organization is None else Door(replace(found[0], tier=organization.tier), found[1])


def _behind(session: Session, door: Door) -> Retriever:
    found = session.retrievers.get(door.principal, door.published.retriever_id)
    if found is None:
        raise NotFoundError(f"there is no published retriever {door.published.name!r}", resource="published retriever")
    return found


def _check_key(door: Door, visit: Visit) -> None:
    if not hmac.compare_digest(door.published.public_key.encode(), visit.public_key.encode()):
        raise VisitorRefusedError("send the page's public key as X-Public-API-Key; its /config tells it")


def _mark(published: PublishedRetriever) -> str:
    return hashlib.sha256((published.password_hash or "").encode()).hexdigest()[:16]


def _check_inputs(published: PublishedRetriever, inputs: Mapping[str, JSON]) -> None:
    """Only what the page asks for: an input that it does not show is the publisher's to set."""
    asked = published.display.get("inputs")
    known = {str(one["field_name"]) for one in asked if isinstance(one, dict)} if isinstance(asked, list) else set()
    for name in inputs:
        if name not in known:
            raise ValidationError.at(["body", "inputs", name], f"no input of this search; it has {sorted(known)}")


def _principal(door: Door, visit: Visit) -> Principal:
    published, narrowed = door.published, visit.narrowed or door.principal
    budgets = [published.limits.visitor_credits_per_day, narrowed.client.credits_per_day if narrowed.client else None]
    return Principal(
        organization_id=door.principal.organization_id,
        namespace_id=door.principal.namespace_id,
        permissions=frozenset({Permission.READ}),
        key_id=published.public_id,
        narrowing=narrowed.narrowing,
        tier=door.principal.tier,
        client=Client(
            visitor=f"{published.public_id} {visit.visitor.identity}",
            credits_per_day=min((one for one in budgets if one is not None), default=None),
            is_public=True,
        ),
    )


def _told(error: TamisError) -> TamisError:
    """What a visitor is told: his own faults, and that it failed. What failed stands in the record."""
    if isinstance(error, CreditsSpentError):
        return PublicSearchUnavailableError()
    if isinstance(error, TooManyRequestsError):
        return error
    if isinstance(error, ValidationError) and all(_is_visitors(one["loc"]) for one in error.problems):
        return error
    if isinstance(error, BadRequestError):  # a cursor that has expired
        return error
    details = {name: error.details[name] for name in ("execution_id",) if name in error.details}
    cause = error.__cause__ if isinstance(error, StageError) else error
    if isinstance(cause, ValidationError | NotFoundError | DecodeError):
        return PublicInputsError(**details)
    return (PublicSearchUnavailableError if error.status == 503 else PublicSearchError)(**details)


def _is_visitors(loc: Sequence[str | int]) -> bool:
    return list(loc[:2]) in (["body", "inputs"], ["body", "pagination"])
