"""Connections to storages of others: made, tried, looked into. They are the organisation's, and its administrators'."""

from typing import Any

from starlette.responses import HTMLResponse, Response

from tamis.errors import BadRequestError
from tamis.model.batch import TaskStatus
from tamis.model.principal import Principal
from tamis.model.storage_connection import StorageConnection, StorageProvider
from tamis.services.access.storage_connections import ConnectionChange, StorageConnectionService
from tamis.studio import fields
from tamis.studio.places import page_number
from tamis.studio.security import HEADERS
from tamis.studio.templating import render
from tamis.studio.visit import Visit

PAGE_SIZE = 20
PROVIDERS = (
    StorageProvider.S3, StorageProvider.GCS, StorageProvider.AZURE, StorageProvider.TIGRIS, StorageProvider.LOCAL,
)  # fmt: skip
_SHOWN = 100
_LONGEST_NAME, _LONGEST_ABOUT, _LONGEST_PATH = 100, 500, 1024


async def index(visit: Visit) -> Response:
    principal, at = await visit.ruling(), page_number(visit)
    every = await _connections(visit).list(principal)
    window = every[(at - 1) * PAGE_SIZE : at * PAGE_SIZE]
    return visit.page("connections.html", connections=window, total=len(every), at=at, page_size=PAGE_SIZE)


async def new(visit: Visit) -> Response:
    await visit.ruling()
    return visit.page("new_connection.html", providers=PROVIDERS)


async def create(visit: Visit) -> Response:
    """It is tried before it is kept. Raises: BadRequestError naming the field, and as the service does."""
    principal = await visit.ruling()
    provider = fields.choice(visit.field("provider"), "provider", StorageProvider)
    draft = ConnectionChange(_name(visit), _about(visit), config=_config(visit, provider))
    made = await _connections(visit).create(principal, provider, draft, visit.field("test") == "yes")
    return visit.moved(f"/automation/connections/{made.connection_id}")


async def show(visit: Visit) -> Response:
    _, connection = await _connection_of(visit)
    return visit.page("connection.html", connection=connection)


async def change(visit: Visit) -> Response:
    """Another name, or other settings, which are tried before they are kept."""
    principal, before = await _connection_of(visit)
    change = ConnectionChange(_name(visit), visit.field("description"))
    if visit.field("secrets") == "new":
        change = ConnectionChange(_name(visit), visit.field("description"), config=_config(visit, before.provider))
    await _connections(visit).change(principal, before.connection_id, change)
    return visit.moved(f"/automation/connections/{before.connection_id}")


async def test(visit: Visit) -> Response:
    """Whether it gets in now, as a part of the page."""
    principal, connection = await _connection_of(visit)
    found = await _connections(visit).test(principal, connection.connection_id)
    values = {"t": visit.language, "message": found.message}
    text = render("_done.html" if found.success else "_problem.html", values)
    return HTMLResponse(text, headers={**HEADERS, "hx-trigger": "changed"})


async def suspend(visit: Visit) -> Response:
    return await _set(visit, TaskStatus.SUSPENDED)


async def resume(visit: Visit) -> Response:
    return await _set(visit, TaskStatus.ACTIVE)


async def folder(visit: Visit) -> Response:
    """What lies at a path, as a part of the page. Raises: as the service does."""
    principal, connection = await _connection_of(visit)
    path = visit.asked("path")
    if len(path) > _LONGEST_PATH:
        raise BadRequestError(f"path: at most {_LONGEST_PATH} characters", field="path")
    found = await _connections(visit).folder(principal, connection.connection_id, path, _SHOWN)
    address = f"/automation/connections/{connection.connection_id}"
    return visit.page("_folder.html", found=found, folder=path.strip("/"), address=address)


async def delete(visit: Visit) -> Response:
    principal, connection = await _connection_of(visit)
    await _connections(visit).delete(principal, connection.connection_id)
    return visit.moved("/automation/connections")


async def _set(visit: Visit, status: TaskStatus) -> Response:
    principal, connection = await _connection_of(visit)
    await _connections(visit).change(principal, connection.connection_id, ConnectionChange(status=status))
    return visit.moved(f"/automation/connections/{connection.connection_id}")


def _connections(visit: Visit) -> StorageConnectionService:
    return visit.service(StorageConnectionService)


async def _connection_of(visit: Visit) -> tuple[Principal, StorageConnection]:
    """Raises: NotFoundError, ForbiddenError."""
    principal = await visit.ruling()
    identifier = str(visit.request.path_params["connection_id"])
    return principal, await _connections(visit).get(principal, identifier)


def _name(visit: Visit) -> str:
    name = visit.field("name")
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadRequestError(f"name: 1 to {_LONGEST_NAME} characters", field="name")
    return name


def _about(visit: Visit) -> str | None:
    about = visit.field("description")
    if len(about) > _LONGEST_ABOUT:
        raise BadRequestError(f"description: at most {_LONGEST_ABOUT} characters", field="description")
    return about or None


def _config(visit: Visit, provider: StorageProvider) -> dict[str, Any]:
    """What was filled in of the provider's fields; the service says what is missing. Raises: BadRequestError."""
    if provider is StorageProvider.LOCAL:
        return {"folder": visit.field("folder")}
    if provider is StorageProvider.GCS:
        account = fields.json_object(visit.field("account"), "account")
        known = ("type", "project_id", "private_key_id", "private_key", "client_email", "client_id")
        # A key's file has addresses of Google's beside these, which nobody may choose here.
        return {"credentials": {name: account[name] for name in known if name in account}}
    if provider is StorageProvider.AZURE:
        names = {"account_name": "azure_name", "account_key": "azure_key"}
        return {"credentials": {"type": "account_key", **_filled(visit, names)}}
    prefix = "tigris" if provider is StorageProvider.TIGRIS else "s3"
    keys = {"access_key_id": f"{prefix}_id", "secret_access_key": f"{prefix}_key"}
    around = {"region": f"{prefix}_region", "endpoint_url": f"{prefix}_endpoint"}
    config: dict[str, Any] = {"credentials": {"type": "access_key", **_filled(visit, keys)}, **_filled(visit, around)}
    if provider is StorageProvider.S3 and str(config.get("endpoint_url", "")).lower().startswith("http://"):
        config["use_ssl"] = visit.field("plain") != "yes"
    return config


def _filled(visit: Visit, names: dict[str, str]) -> dict[str, str]:
    return {name: visit.field(given) for name, given in names.items() if visit.field(given)}
