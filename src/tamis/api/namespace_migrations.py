"""Migrations of namespaces: extracted anew beside what is there, then switched to."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response, status

from tamis.api.access import OrganizationDeleter, OrganizationFounder, OrganizationReader, OrganizationWriter, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.namespace_migration import (
    CancelMigrationRequest,
    CancelMigrationResponse,
    CreateMigrationRequest,
    CreateMigrationResponse,
    GetMigrationResponse,
    ListMigrationsRequest,
    ListMigrationsResponse,
    StartMigrationRequest,
    StartMigrationResponse,
    ValidateMigrationRequest,
    ValidateMigrationResponse,
    migration_config,
    migration_query,
    show_graph,
    show_migration,
    show_validation,
)
from tamis.errors import ValidationError
from tamis.services.data.namespace_migrations import NamespaceMigrations, Validation

router = APIRouter(prefix="/v1/namespaces/migrations", tags=["namespaces"], route_class=JsonRoute)

Migrations = Annotated[NamespaceMigrations, Depends(service(NamespaceMigrations))]


@router.post("/validate")
async def validate_migration(
    principal: OrganizationWriter, body: ValidateMigrationRequest, migrations: Migrations
) -> ValidateMigrationResponse:
    """What would go wrong, worked out to the switch itself; nothing is made."""
    try:
        found = await migrations.validate(principal, migration_config(body.config))
    except ValidationError as error:
        found = Validation(tuple(error.problems))
    said = "it can be started" if found.is_valid else f"it cannot be started: {found.errors[0]['msg']}"
    return ValidateMigrationResponse(
        dependency_graph=show_graph(found), message=said, validation_result=show_validation(found)
    )


@router.post("/", status_code=status.HTTP_201_CREATED)
async def create_migration(
    principal: OrganizationFounder, body: CreateMigrationRequest, migrations: Migrations
) -> CreateMigrationResponse:
    """A draft, or one that begins at once."""
    made, found = await migrations.create(principal, migration_config(body.config), body.start_immediately)
    return CreateMigrationResponse(
        created_at=made.created_at,
        message="the migration has begun" if body.start_immediately else "a draft; start it when you like",
        migration_id=made.migration_id,
        status=made.status,
        validation_result=show_validation(found),
    )


@router.post("/list")
async def list_migrations(
    principal: OrganizationReader, body: ListMigrationsRequest, migrations: Migrations
) -> ListMigrationsResponse:
    """Of all namespaces, the newest first."""
    page = await migrations.list(principal, migration_query(body))
    shown = [show_migration(one, principal.organization_id) for one in page.items]
    return ListMigrationsResponse(limit=body.limit, migrations=shown, offset=body.offset, total=page.total)


@router.get("/{migration_id}")
async def get_migration(
    principal: OrganizationReader, migration_id: str, migrations: Migrations
) -> GetMigrationResponse:
    """A migration, and how far it is."""
    return show_migration(await migrations.get(principal, migration_id), principal.organization_id)


@router.post("/{migration_id}/start")
async def start_migration(
    principal: OrganizationFounder, migration_id: str, migrations: Migrations, body: StartMigrationRequest | None = None
) -> StartMigrationResponse:
    """Begin a draft; it goes on after a crash, and searches notice nothing before it is whole."""
    begun = await migrations.start(principal, migration_id, (body or StartMigrationRequest()).force)
    return StartMigrationResponse(
        message="the migration has begun",
        migration_id=begun.migration_id,
        started_at=begun.started_at or begun.updated_at,
        status=begun.status,
        task_id=begun.task_id or "",
    )


@router.post("/{migration_id}/cancel")
async def cancel_migration(
    principal: OrganizationWriter, migration_id: str, migrations: Migrations, body: CancelMigrationRequest | None = None
) -> CancelMigrationResponse:
    """Take away what it has made; everything is as it was before it began."""
    ended = await migrations.cancel(principal, migration_id, (body or CancelMigrationRequest()).reason)
    return CancelMigrationResponse(
        cancelled_at=ended.completed_at or ended.updated_at,
        message="the migration is cancelled, and nothing of it is left",
        migration_id=ended.migration_id,
        status=ended.status,
    )


@router.delete("/{migration_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_migration(principal: OrganizationDeleter, migration_id: str, migrations: Migrations) -> Response:
    """Forget a migration that is not under way; what it made stays."""
    await migrations.delete(principal, migration_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
