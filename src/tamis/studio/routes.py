"""How an address becomes a page: who may ask, and by which of the caller's rates it counts."""

from starlette.routing import Route

from tamis.model.limits import OperationKind
from tamis.model.principal import Permission
from tamis.studio.visit import Handler, signed_in


def shows(path: str, handler: Handler) -> Route:
    return Route(path, signed_in(handler))


def changes(
    path: str, handler: Handler, permission: Permission = Permission.READ, kind: OperationKind = OperationKind.DATA
) -> Route:
    return Route(path, signed_in(handler, permission, kind), methods=["POST"])


def writes(path: str, handler: Handler) -> Route:
    return changes(path, handler, Permission.WRITE)


def deletes(path: str, handler: Handler) -> Route:
    return changes(path, handler, Permission.DELETE)


def searches(path: str, handler: Handler) -> Route:
    """What runs a pipeline, or tries one out."""
    return changes(path, handler, kind=OperationKind.SEARCH)


def rules(path: str, handler: Handler) -> Route:
    """A change of the organisation itself, for its administrators."""
    return changes(path, handler, Permission.ADMIN, OperationKind.METADATA)
