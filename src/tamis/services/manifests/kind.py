"""What a manifest may hold: a kind says how one of its entries is read, found, made and changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from tamis.engine.ports.metadata import Session
from tamis.model.principal import NamespaceOperation, Principal

S = TypeVar("S")
Body: TypeAlias = dict[str, Any]

REFERENCES: Mapping[str, str] = {
    "bucket_id": "buckets",
    "bucket_ids": "buckets",
    "collection_id": "collections",
    "collection_ids": "collections",
    "collection_identifiers": "collections",
    "target_collection_id": "collections",
    "retriever": "retrievers",
    "retriever_id": "retrievers",
    "taxonomy_id": "taxonomies",
    "cluster_id": "clusters",
    "alert_id": "alerts",
}
"""Keys, wherever in an entry, whose texts name resources of a section."""


class Crew:
    """Services by their class, all over one `Metadata`."""

    def __init__(self, services: Sequence[Any]) -> None:
        self._services = {type(one): one for one in services}

    def get(self, kind: type[S]) -> S:
        return cast(S, self._services[kind])


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource as it is. body: as a manifest has it, ids for names.  told: what else an entry may say of it.

    holds: what would go with it, in words; empty where nothing would.
    """

    resource_id: str
    name: str
    body: Body
    told: Body = field(default_factory=dict)
    holds: str = ""


class Kind(Protocol):
    """section: its key in a manifest.  operation: what a key's scopes have to be for.

    fixed: fields that are what they are when the resource is made.  late: those that may name what is made later.
    """

    @property
    def section(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def fixed(self) -> frozenset[str]: ...
    @property
    def late(self) -> frozenset[str]: ...
    @property
    def operation(self) -> NamespaceOperation: ...
    @property
    def spellings(self) -> Mapping[str, str]:
        """Fields as an entry has them, by what services call them."""
        ...

    def full(self, body: Body) -> Body:
        """What the entry says with its defaults: how two are compared. Raises: ValidationError at ["body", ...]."""
        ...

    def completed(self, crew: Crew, written: Body, stored: Stored) -> Body:
        """The entry with what it leaves to the server as the server had it."""
        ...

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]: ...
    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        """Its id. Raises: what the service raises."""
        ...

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        """fields: of the body, those that differ."""
        ...

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None: ...


def references(value: Any) -> set[tuple[str, str]]:
    """(section, name) of whatever the value names."""
    found: set[tuple[str, str]] = set()
    if isinstance(value, dict):
        for key, child in value.items():
            section = REFERENCES.get(key)
            named = [child] if isinstance(child, str) else child if isinstance(child, list) else []
            if section is not None:
                found |= {(section, one) for one in named if isinstance(one, str)}
            found |= references(child)
    elif isinstance(value, list):
        for child in value:
            found |= references(child)
    return found


def renamed(value: Any, names: Mapping[str, str], key: str = "") -> Any:
    """With names for the ids that stand where resources are named."""
    if isinstance(value, dict):
        return {name: renamed(child, names, name) for name, child in value.items()}
    if isinstance(value, list):
        return [renamed(child, names, key) for child in value]
    return names.get(value, value) if isinstance(value, str) and key in REFERENCES else value


def pruned(body: Mapping[str, Any]) -> Body:
    """Without what says nothing: null, empty lists and objects, at the top."""
    return {name: value for name, value in body.items() if value is not None and value not in ([], {}, ())}


def unknown_fields(written: Any, read: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Places of the written that reading it has left out."""
    if isinstance(written, dict) and isinstance(read, dict):
        found: list[tuple[str | int, ...]] = []
        for name, child in written.items():
            here = (*path, name)
            found += unknown_fields(child, read[name], here) if name in read else [here]
        return found
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        return [
            place
            for index, (one, other) in enumerate(zip(written, read, strict=True))
            for place in unknown_fields(one, other, (*path, index))
        ]
    return []
