"""What a key may be limited to: namespaces, single retrievers and collections, found when the key is made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tamis.engine.ports.metadata import Session
from tamis.errors import NotBuiltError, ValidationError
from tamis.model.json import JSON
from tamis.model.principal import Principal

# By kind, the id of what has this id or name in a namespace.
_PARTS: Mapping[str, Callable[[Session, Principal, str], str | None]] = {
    "retriever": lambda session, inside, one: getattr(session.retrievers.get(inside, one), "retriever_id", None),
    "collection": lambda session, inside, one: getattr(session.collections.get(inside, one), "collection_id", None),
}


def resolve_scopes(
    session: Session, principal: Principal, scopes: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, JSON], ...]:
    """The scopes with the ids of what they name and of the namespaces that it lies in.

    A namespace is given by id or name, its parts by id alone: their names may be in several namespaces.
    Raises: ValidationError naming the place, NotBuiltError for kinds that nothing would enforce.
    """
    return tuple(_resolved(session, principal, place, scope) for place, scope in enumerate(scopes))


def _resolved(session: Session, principal: Principal, place: int, scope: Mapping[str, Any]) -> dict[str, JSON]:
    kind, identifier = str(scope["resource_type"]), str(scope["resource_id"])
    if kind != "namespace" and kind not in _PARTS:
        raise NotBuiltError(
            f"scopes to {kind} are not built in this version of Tamis; take namespace, retriever or collection"
        )
    operations = scope.get("operations")
    if operations == []:
        where: list[str | int] = ["body", "scopes", place, "operations"]
        raise ValidationError.at(where, "name an operation, or leave `operations` out for all that the key may")
    found = (
        _namespace(session, principal, identifier)
        if kind == "namespace"
        else _owner(session, principal, kind, identifier)
    )
    if found is None:
        by = "id or name" if kind == "namespace" else "id"
        loc: list[str | int] = ["body", "scopes", place, "resource_id"]
        raise ValidationError.at(loc, f"there is no {kind} with the {by} {identifier!r} in this organisation")
    return {
        "resource_type": kind,
        "resource_id": found if kind == "namespace" else identifier,
        "operations": None if operations is None else list[JSON](sorted({str(one) for one in operations})),
        "namespace_id": found,
    }


def _namespace(session: Session, principal: Principal, identifier: str) -> str | None:
    found = session.namespaces.get(principal, identifier)
    return None if found is None else found.namespace_id


def _owner(session: Session, principal: Principal, kind: str, identifier: str) -> str | None:
    """The namespace that the part of this id lives in."""
    for namespace in session.namespaces.list(principal):
        if _PARTS[kind](session, principal.within(namespace.namespace_id), identifier) == identifier:
            return namespace.namespace_id
    return None
