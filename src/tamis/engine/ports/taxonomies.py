"""Stored taxonomies, by id."""

from collections.abc import Mapping
from typing import Protocol

from tamis.model.json import JSON
from tamis.model.principal import Principal


class Taxonomies(Protocol):
    async def definition(self, principal: Principal, identifier: str) -> Mapping[str, JSON]:
        """As `engine.taxonomy_definition` reads it. identifier: id or name.  Raises: NotFoundError, ValidationError."""
        ...
