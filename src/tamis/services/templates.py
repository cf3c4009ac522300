"""The templates that every installation has, open to everybody."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from tamis.errors import NotFoundError
from tamis.model.json import JSON

_SINCE = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Template:
    """configuration: the body of the request that makes the resource.  template_type: `namespace`, `retriever`."""

    template_id: str
    template_type: str
    name: str
    description: str
    configuration: Mapping[str, JSON]
    category: str
    tags: Sequence[str] = ()
    use_cases: Sequence[str] = ()
    requirements: Sequence[str] = ()
    created_at: datetime = _SINCE


@cache
def system_templates() -> tuple[Template, ...]:
    """In the order of `templates.toml`."""
    text = files("tamis.services").joinpath("templates.toml").read_text()
    return tuple(Template(**raw) for raw in tomllib.loads(text)["template"])


class TemplateService:
    def list(self, template_type: str, category: str | None = None) -> Sequence[Template]:
        mine = [one for one in system_templates() if one.template_type == template_type]
        return [one for one in mine if category in (None, one.category)]

    def get(self, template_type: str, template_id: str) -> Template:
        """Raises: NotFoundError."""
        for one in self.list(template_type):
            if one.template_id == template_id:
                return one
        raise NotFoundError.of("template", template_id)
