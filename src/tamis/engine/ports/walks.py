"""Walks over the documents of collections that are under way."""

from collections.abc import Sequence
from typing import Protocol

from tamis.model.principal import Principal
from tamis.model.walk import Walk


class Walks(Protocol):
    def insert(self, principal: Principal, walk: Walk) -> None: ...
    def get(self, principal: Principal, task_id: str) -> Walk | None: ...
    def list(self, principal: Principal, collection_id: str) -> Sequence[Walk]:
        """Of a collection, oldest first."""
        ...

    def replace(self, principal: Principal, walk: Walk) -> None:
        """Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, task_id: str) -> bool: ...
    def unfinished(self) -> Sequence[tuple[Principal, Walk]]:
        """Of every tenant, oldest first: what a start goes on with."""
        ...
