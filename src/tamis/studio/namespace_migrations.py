"""Migrations: collections extracted anew beside the old ones, looked over first, followed, and switched to at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError, ForbiddenError
from tamis.model.collection import Collection
from tamis.model.json import JSON
from tamis.model.namespace_migration import ExtractorChange, MigrationConfig, MigrationStatus, MigrationType
from tamis.model.principal import Permission
from tamis.services.data.collections import CollectionService
from tamis.services.data.namespace_migrations import MigrationDetails, MigrationQuery, NamespaceMigrations
from tamis.studio import fields
from tamis.studio.lineage import names_of
from tamis.studio.places import page_number
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_PARAMETERS = "p."
_VERSION = "v."


@dataclass(frozen=True, slots=True)
class Used:
    """An extractor of the namespace's collections. parameters: of the first of them; they may differ."""

    name: str
    version: str
    parameters: Mapping[str, JSON]
    collections: tuple[str, ...]


async def index(visit: Visit) -> Response:
    """Of all namespaces that the key sees. Raises: BadRequestError (status)."""
    at, status = page_number(visit), visit.asked("status")
    if status and status not in list(MigrationStatus):
        raise BadRequestError(f"status: one of {', '.join(MigrationStatus)}", field="status")
    query = MigrationQuery(
        MigrationStatus(status) if status else None, limit=PAGE_SIZE, offset=(at - 1) * PAGE_SIZE
    )  # fmt: skip
    page = await _migrations(visit).list(visit.principal, query)
    return visit.page(
        "migrations.html", migrations=page, names=_namespace_names(visit), may_create=_may_create(visit),
        wanted=status, at=at, page_size=PAGE_SIZE,
    )  # fmt: skip


async def new(visit: Visit) -> Response:
    every = [one for one in await visit.service(CollectionService).all(visit.principal) if not one.is_standby]
    return visit.page(
        "new_migration.html", used=_used(every), collections=every, may_create=_may_create(visit)
    )  # fmt: skip


async def validate(visit: Visit) -> Response:
    """What would go wrong, as a part of the page; nothing is made. Raises: BadRequestError naming the field."""
    found = await _migrations(visit).validate(visit.principal, await _config(visit))
    return visit.page("_validated.html", found=found, names=await names_of(visit), may_create=_may_create(visit))


async def create(visit: Visit) -> Response:
    """Begun at once. Raises: BadRequestError, ForbiddenError, and as `start` of the service."""
    if not _may_create(visit):
        raise ForbiddenError("this key has scopes, and a migration concerns the whole namespace")
    made, _ = await _migrations(visit).create(visit.principal, await _config(visit), start=True)
    return visit.moved(f"/automation/migrations/{made.migration_id}")


async def show(visit: Visit) -> Response:
    """Raises: NotFoundError."""
    details = await _migration_of(visit)
    namespace = next((one for one in visit.namespaces if one.namespace_id == details.migration.namespace_id), None)
    inside = visit if namespace is None or namespace == visit.namespace else await visit.within(namespace)
    return visit.page(
        "migration.html", migration=details.migration, progress=details.progress, names=await names_of(inside),
        source=namespace.name if namespace else details.migration.namespace_id, may_create=_may_create(visit),
        asked=_said(details.migration.config.sent),
    )  # fmt: skip


async def start(visit: Visit) -> Response:
    """A draft, whatever its warnings are, which the page shows. Raises: as the service does, ForbiddenError."""
    if not _may_create(visit):
        raise ForbiddenError("this key has scopes, and a migration concerns the whole namespace")
    found = await _migration_of(visit)
    await _migrations(visit).start(visit.principal, found.migration.migration_id, force=True)
    return visit.moved(_address(found))


async def cancel(visit: Visit) -> Response:
    """Raises: NotFoundError, ConflictError where it has ended."""
    found = await _migration_of(visit)
    await _migrations(visit).cancel(visit.principal, found.migration.migration_id, visit.field("reason") or None)
    return visit.moved(_address(found))


async def delete(visit: Visit) -> Response:
    """Raises: NotFoundError, ConflictError while it is under way."""
    await _migrations(visit).delete(visit.principal, (await _migration_of(visit)).migration.migration_id)
    return visit.moved("/automation/migrations")


def _migrations(visit: Visit) -> NamespaceMigrations:
    return visit.service(NamespaceMigrations)


async def _migration_of(visit: Visit) -> MigrationDetails:
    return await _migrations(visit).get(visit.principal, str(visit.request.path_params["migration_id"]))


def _address(found: MigrationDetails) -> str:
    return f"/automation/migrations/{found.migration.migration_id}"


def _may_create(visit: Visit) -> bool:
    return visit.principal.may(Permission.WRITE) and not visit.principal.scopes


def _namespace_names(visit: Visit) -> dict[str, str]:
    return {one.namespace_id: one.name for one in visit.namespaces}


def _said(asked: JSON) -> JSON:
    """Without what was left out."""
    if not isinstance(asked, dict):
        return asked
    return {name: _said(value) for name, value in asked.items() if value is not None}


def _used(collections: Sequence[Collection]) -> list[Used]:
    found: dict[str, list[Collection]] = {}
    for one in collections:
        found.setdefault(one.extractor.name, []).append(one)
    return [
        Used(name, every[0].extractor.version, every[0].extractor.parameters, tuple(one.name for one in every))
        for name, every in sorted(found.items())
    ]


async def _config(visit: Visit) -> MigrationConfig:
    """Of the namespace that is looked at, as the API would have been told. Raises: BadRequestError naming the field."""
    changes = [_change(visit, name) for name in visit.chosen("extractor")]
    chosen = visit.chosen("collection") or None
    with_fed = visit.field("fed") == "yes"
    if not changes and chosen is None:
        raise BadRequestError("extractor: choose what changes, or the collections to extract anew", field="extractor")
    sent: dict[str, JSON] = {
        "migration_type": MigrationType.RE_EXTRACT.value,
        "source_namespace_id": visit.namespace.namespace_id,
        "feature_extractors": [
            {"feature_extractor_name": one.name, "version": one.version, "parameters": one.parameters}
            for one in changes
        ],
        "filters": {"collection_ids": None if chosen is None else [*chosen], "auto_include_dependencies": with_fed},
    }
    return MigrationConfig(
        MigrationType.RE_EXTRACT, visit.namespace.namespace_id, extractors=tuple(changes), collections=chosen,
        with_fed=with_fed, sent=sent,
    )  # fmt: skip


def _change(visit: Visit, name: str) -> ExtractorChange:
    parameters: dict[str, Any] = fields.json_object(visit.field(f"{_PARAMETERS}{name}"), f"parameters of {name}")
    return ExtractorChange(name, visit.field(f"{_VERSION}{name}") or None, parameters)
