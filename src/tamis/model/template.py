"""A template: what makes a resource again, under another name, and in another place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON


class TemplateType(StrEnum):
    NAMESPACE = "namespace"
    RETRIEVER = "retriever"
    CLUSTER = "cluster"
    COLLECTION = "collection"
    BUCKET = "bucket"
    TAXONOMY = "taxonomy"


class TemplateScope(StrEnum):
    """Whom it is for: every organisation, one, or one of its users."""

    SYSTEM = "system"
    ORGANIZATION = "organization"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Template:
    """configuration: of a namespace a whole manifest, else a manifest's entry; names stand for ids.

    namespace_id, source_id: where it was taken from, and of what; empty for those that come with the installation.
    created_by: the user whose key made it.
    """

    template_id: str
    type: TemplateType
    name: str
    description: str
    configuration: Mapping[str, JSON]
    created_at: datetime
    scope: TemplateScope = TemplateScope.SYSTEM
    category: str | None = None
    tags: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    namespace_id: str = ""
    source_id: str = ""
    created_by: str = ""
