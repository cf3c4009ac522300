"""Templates: those of the installation and of the organisation, made of what is there and made something of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.template import Template, TemplateScope, TemplateType
from tamis.services.data.namespaces import RESERVED
from tamis.services.manifests.kind import REFERENCES, Body, Crew, Kind, references
from tamis.services.manifests.manifests import ManifestService
from tamis.services.manifests.shipped import SECTIONS, shipped
from tamis.services.naming import check_name

MOST_TEMPLATES = 200
MOST_BYTES = 1 << 17
_ITS_OWN = ("published", "datasets", "alerts")
_APPLIED = ("taxonomy_applications", "cluster_applications", "alert_applications")


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    name: str
    description: str | None = None
    scope: TemplateScope = TemplateScope.ORGANIZATION
    is_public: bool = False
    category: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as what a template is made something of.

    description: None is the template's.  said: fields of the entry in place of the template's.
    collections: by the names that a taxonomy's template has, those that stand for them here; `collection_id` is the
    only one that it names.  tags: into its metadata.
    """

    name: str
    description: str | None = None
    said: Mapping[str, JSON] | None = None
    collections: Mapping[str, str] | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    resource_id: str
    created_at: datetime


class TemplateService:
    def __init__(
        self, metadata: Metadata, manifests: ManifestService, kinds: Sequence[Kind], crew: Crew, clock: Clock
    ) -> None:
        """crew: the services that make what a template is of."""
        self._metadata = metadata
        self._manifests = manifests
        self._kinds = {kind.section: kind for kind in kinds}
        self._crew = crew
        self._clock = clock

    def shipped(self, template_type: TemplateType, category: str | None = None) -> Sequence[Template]:
        """Those that every installation has, open to everybody."""
        return [one for one in shipped() if one.type is template_type and category in (None, one.category)]

    def get_shipped(self, template_type: TemplateType, template_id: str) -> Template:
        """Raises: NotFoundError."""
        for one in self.shipped(template_type):
            if one.template_id == template_id:
                return one
        raise NotFoundError.of("template", template_id)

    async def list(
        self, principal: Principal, template_type: TemplateType, category: str | None = None,
        scope: TemplateScope | None = None,
    ) -> Sequence[Template]:  # fmt: skip
        """The organisation's, newest first, and then those of the installation."""
        mine = await self._metadata.read(lambda session: session.templates.list(principal))
        seen = [one for one in mine if _sees(principal, one) and one.type is template_type]
        every = [*(one for one in seen if category in (None, one.category)), *self.shipped(template_type, category)]
        return [one for one in every if scope in (None, one.scope)]

    async def get(self, principal: Principal, template_type: TemplateType, template_id: str) -> Template:
        """Raises: NotFoundError."""
        found = await self._metadata.read(lambda session: session.templates.get(principal, template_id))
        if found is None:
            return self.get_shipped(template_type, template_id)
        if found.type is not template_type or not _sees(principal, found):
            raise NotFoundError.of("template", template_id)
        return found

    async def delete(self, principal: Principal, template_type: TemplateType, template_id: str) -> None:
        """What was made of it stays. Raises: NotFoundError; ConflictError for one of the installation."""
        found = await self.get(principal, template_type, template_id)
        if found.scope is TemplateScope.SYSTEM:
            raise ConflictError("this template comes with the installation, and stays")
        await self._metadata.write(lambda session: session.templates.delete(principal, template_id))

    async def save(
        self, principal: Principal, template_type: TemplateType, identifier: str, draft: TemplateDraft
    ) -> Template:
        """Make a template of a resource, by id or name: how it is made, and none of its data.

        Raises: NotFoundError; ValidationError naming the field; ConflictError for too many, or one too large.
        """
        _check_scope(principal, draft)
        if template_type is TemplateType.NAMESPACE:
            inside, configuration = await self._of_namespace(principal, identifier, draft.name)
            source_id = inside.namespace_id
        else:
            inside, stored = principal, await self._manifests.entry(principal, SECTIONS[template_type], identifier)
            source_id = stored.resource_id
            configuration = {name: value for name, value in stored.body.items() if name not in _APPLIED}
        if len(orjson.dumps(configuration)) > MOST_BYTES:
            message = (
                f"this is larger than a template's {MOST_BYTES} bytes; `tamis manifest export` writes it to a file"
            )
            raise ConflictError(message)
        made = Template(
            new_id("tmpl"), template_type, draft.name, draft.description or f"As {template_type} {identifier} was",
            configuration, self._clock.now(), draft.scope, draft.category, draft.tags,
            namespace_id=inside.namespace_id, source_id=source_id, created_by=principal.user_id,
        )  # fmt: skip

        def insert(session: Session) -> Template:
            if len(session.templates.list(principal)) >= MOST_TEMPLATES:
                raise ConflictError(f"an organisation has at most {MOST_TEMPLATES} templates; delete one first")
            session.templates.insert(principal, made)
            return made

        return await self._metadata.write(insert)

    async def _of_namespace(
        self, principal: Principal, identifier: str, name: str
    ) -> tuple[Principal, dict[str, JSON]]:
        """Without what is one of a kind: what is published, and judgements of documents that are nowhere else."""
        inside = await self._manifests.enter(principal, identifier)
        manifest = await self._manifests.export(inside, None, name)
        return inside, {section: value for section, value in manifest.items() if section not in _ITS_OWN}

    async def make_namespace(self, principal: Principal, template_id: str, place: Place) -> Made:
        """A namespace of the template, all of it or nothing.

        Raises: NotFoundError; ValidationError (the name, or what the template needs and is not there);
        AlreadyExistsError.
        """
        check_name(place.name, ["body", "namespace_name"], RESERVED)
        template = await self.get(principal, TemplateType.NAMESPACE, template_id)
        manifest = cast(dict[str, Any], dict(template.configuration))
        own = {**manifest["namespaces"][0], "name": place.name}
        if place.description is not None:
            own["description"] = place.description
        try:
            namespace_id = await self._manifests.found(principal, {**manifest, "namespaces": [own]})
        except ValidationError as error:
            raise ValidationError.at(
                ["path", "template_id"], f"the template cannot be used here: {error.message}"
            ) from None
        return Made(namespace_id, self._clock.now())

    async def make(self, principal: Principal, template_type: TemplateType, template_id: str, place: Place) -> Made:
        """A resource of the template, in the caller's namespace.

        Raises: NotFoundError, ValidationError and AlreadyExistsError, as its service does.
        """
        template = await self.get(principal, template_type, template_id)
        body: Body = {**template.configuration, "name": place.name, **_within(template.configuration, place.said or {})}
        if place.description is not None:
            body["description"] = place.description
        if place.tags:
            body["metadata"] = {**body.get("metadata", {}), "tags": [*place.tags]}
        if place.collections:
            body = _moved(body, place.collections)
        made = await self._kinds[SECTIONS[template_type]].create(self._crew, principal, body)
        return Made(made, self._clock.now())


def _sees(principal: Principal, template: Template) -> bool:
    """A user's is his alone; a key with scopes sees what was made of what is within them."""
    if template.scope is TemplateScope.USER and template.created_by != principal.user_id:
        return False
    return not template.namespace_id or principal.sees_namespace(template.namespace_id)


def _check_scope(principal: Principal, draft: TemplateDraft) -> None:
    """Raises: ValidationError."""
    if draft.scope is TemplateScope.SYSTEM:
        message = "templates of all organisations come with the installation: say organization or user"
        raise ValidationError.at(["body", "scope"], message)
    if draft.scope is TemplateScope.USER and not principal.user_id:
        raise ValidationError.at(["body", "scope"], "this key is of no user: say organization")
    if draft.is_public:
        message = "an organisation's templates are not shown to others: leave it out, and give them the configuration"
        raise ValidationError.at(["body", "is_public"], message)


def _within(configuration: Mapping[str, JSON], said: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """What is said, a source with the filters of the template's."""
    source, before = said.get("source"), configuration.get("source")
    if not isinstance(source, dict) or not isinstance(before, dict) or "source_filters" not in before:
        return said
    return {**said, "source": {**source, "source_filters": before["source_filters"]}}


def _moved(body: Body, collections: Mapping[str, str]) -> Body:
    """With other collections. Raises: ValidationError for a name that the template does not have."""
    named = sorted(name for section, name in references(body) if section == "collections")
    wanted = dict(collections)
    if "collection_id" in wanted and "collection_id" not in named:
        if len(named) != 1:
            raise _unknown("collection_id", named)
        wanted[named[0]] = wanted.pop("collection_id")
    for name in wanted:
        if name not in named:
            raise _unknown(name, named)
    moved: Body = _renamed(body, wanted)
    return moved


def _unknown(name: str, named: Sequence[str]) -> ValidationError:
    said = f"the template names {', '.join(named)}" if named else "the template names no collection"
    return ValidationError.at(["body", "collection_config", name], said)


def _renamed(value: Any, names: Mapping[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _renamed(child, names, name) for name, child in value.items()}
    if isinstance(value, list):
        return [_renamed(child, names, key) for child in value]
    return names.get(value, value) if isinstance(value, str) and REFERENCES.get(key) == "collections" else value
