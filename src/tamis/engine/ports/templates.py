"""Templates that an organisation has made of its own resources."""

from collections.abc import Sequence
from typing import Protocol

from tamis.model.principal import Principal
from tamis.model.template import Template


class Templates(Protocol):
    """Of an organisation, whichever namespace they were taken from; they stay when it goes."""

    def insert(self, principal: Principal, template: Template) -> None: ...
    def get(self, principal: Principal, template_id: str) -> Template | None: ...
    def list(self, principal: Principal) -> Sequence[Template]:
        """Newest first."""
        ...

    def delete(self, principal: Principal, template_id: str) -> bool: ...
