"""Secrets of the organisation: their names and where they may go, never what they are."""

from pydantic import SecretStr
from starlette.responses import Response

from tamis.services.access.secrets import SecretDraft, SecretService
from tamis.studio import fields
from tamis.studio.visit import Visit


async def show(visit: Visit) -> Response:
    principal = await visit.ruling()
    secrets = await visit.service(SecretService).list(principal)
    return visit.page(
        "secrets.html", secrets=secrets, names={one.namespace_id: one.name for one in visit.namespaces}
    )  # fmt: skip


async def put(visit: Visit) -> Response:
    """One more, or another value and other bindings for one that is there."""
    principal = await visit.ruling()
    value = visit.field("value")
    draft = SecretDraft(
        SecretStr(value) if value else None, fields.listed(visit.field("hosts")), visit.chosen("namespace")
    )
    await visit.service(SecretService).put(principal, visit.field("name"), draft)
    return visit.moved("/settings/secrets")


async def delete(visit: Visit) -> Response:
    principal = await visit.ruling()
    await visit.service(SecretService).delete(principal, visit.request.path_params["name"])
    return visit.moved("/settings/secrets")
