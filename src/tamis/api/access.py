"""Who may call: the API's side of authentication, and how a route gets its service."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Header, Request

from tamis.api.metering import PRINCIPAL
from tamis.api.operations import operation_of
from tamis.auth.gate import Gate
from tamis.model.principal import NamespaceOperation, Permission, Principal

S = TypeVar("S")


def service(kind: type[S]) -> Callable[[Request], Awaitable[S]]:
    """A dependency that gives a route the one instance of a service (see wiring)."""

    # A plain function would be run on a thread for each request: 0.1 ms of CPU for a look-up.
    async def find(request: Request) -> S:
        return cast(S, request.app.state.services[kind])

    return find


def _noted(request: Request, principal: Principal) -> Principal:
    """Who asks, for what counts requests."""
    request.scope[PRINCIPAL] = principal
    return principal


def _operation(request: Request, permission: Permission) -> NamespaceOperation:
    return operation_of(request.method, request.scope["route"].path_format, permission)


def _in_namespace(permission: Permission, partly: bool = False) -> Callable[..., Awaitable[Principal]]:
    """partly: also for keys that are scoped to single retrievers of the namespace."""

    async def check(
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
        x_namespace: Annotated[str | None, Header()] = None,
    ) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        enter = gate.enter_partly if partly else gate.enter
        return _noted(request, await enter(authorization, x_namespace, permission, _operation(request, permission)))

    return check


def _in_named_namespace(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """Inside the namespace that the path names."""

    async def check(
        request: Request, namespace_identifier: str, authorization: Annotated[str | None, Header()] = None
    ) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        operation = _operation(request, permission)
        return _noted(request, await gate.enter(authorization, namespace_identifier, permission, operation))

    return check


def _searching(partly: bool = False) -> Callable[..., Awaitable[Principal]]:
    """Also for client tokens: the operation searches, or reads documents, and nothing else. partly: as above."""

    async def check(
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
        x_namespace: Annotated[str | None, Header()] = None,
    ) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        operation = _operation(request, Permission.READ)
        return _noted(request, await gate.enter_searching(authorization, x_namespace, partly, operation))

    return check


def _in_organization(permission: Permission, whole: bool = False) -> Callable[..., Awaitable[Principal]]:
    """whole: not for keys with scopes."""

    async def check(request: Request, authorization: Annotated[str | None, Header()] = None) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        if whole:
            return _noted(request, await gate.rule(authorization, permission))
        return _noted(request, await gate.identify(authorization, permission, _operation(request, permission)))

    return check


Reader = Annotated[Principal, Depends(_in_namespace(Permission.READ))]
PathReader = Annotated[Principal, Depends(_in_named_namespace(Permission.READ))]
Writer = Annotated[Principal, Depends(_in_namespace(Permission.WRITE))]
Deleter = Annotated[Principal, Depends(_in_namespace(Permission.DELETE))]
# The operation must ask `Principal.may_retriever`, as everything does that finds its retriever by `find_retriever`.
RetrieverReader = Annotated[Principal, Depends(_in_namespace(Permission.READ, partly=True))]
Searching = Annotated[Principal, Depends(_searching())]
RetrieverSearching = Annotated[Principal, Depends(_searching(partly=True))]
OrganizationReader = Annotated[Principal, Depends(_in_organization(Permission.READ))]
OrganizationWriter = Annotated[Principal, Depends(_in_organization(Permission.WRITE))]
OrganizationDeleter = Annotated[Principal, Depends(_in_organization(Permission.DELETE))]
OrganizationFounder = Annotated[Principal, Depends(_in_organization(Permission.WRITE, whole=True))]
OrganizationAdmin = Annotated[Principal, Depends(_in_organization(Permission.ADMIN, whole=True))]
