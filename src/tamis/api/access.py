"""Who may call: the API's side of authentication, and how a route gets its service."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Header, Request

from tamis.auth.gate import Gate
from tamis.model.principal import Permission, Principal

S = TypeVar("S")


def service(kind: type[S]) -> Callable[[Request], Awaitable[S]]:
    """A dependency that gives a route the one instance of a service (see wiring)."""

    # A plain function would be run on a thread for each request: 0.1 ms of CPU for a look-up.
    async def find(request: Request) -> S:
        return cast(S, request.app.state.services[kind])

    return find


def _in_namespace(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    async def check(
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
        x_namespace: Annotated[str | None, Header()] = None,
    ) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        return await gate.enter(authorization, x_namespace, permission)

    return check


def _in_organization(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    async def check(request: Request, authorization: Annotated[str | None, Header()] = None) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        return await gate.identify(authorization, permission)

    return check


Reader = Annotated[Principal, Depends(_in_namespace(Permission.READ))]
Writer = Annotated[Principal, Depends(_in_namespace(Permission.WRITE))]
Deleter = Annotated[Principal, Depends(_in_namespace(Permission.DELETE))]
OrganizationReader = Annotated[Principal, Depends(_in_organization(Permission.READ))]
OrganizationWriter = Annotated[Principal, Depends(_in_organization(Permission.WRITE))]
OrganizationDeleter = Annotated[Principal, Depends(_in_organization(Permission.DELETE))]
OrganizationAdmin = Annotated[Principal, Depends(_in_organization(Permission.ADMIN))]
