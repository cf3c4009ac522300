"""API keys: made, shown once, rotated and revoked by the organisation's administrators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError, NotFoundError
from tamis.model.json import JSON
from tamis.model.organization import ApiKey, User
from tamis.model.principal import Permission, Principal
from tamis.model.usage import UsageWindow
from tamis.services.access.keys import LONGEST_GRACE_S, Created, KeyDraft, KeyService
from tamis.services.access.usage import UsageMeter
from tamis.services.access.users import UserService
from tamis.studio import fields
from tamis.studio.usage import USUAL_DAYS, charts_of, endpoints_of
from tamis.studio.visit import Visit

GRACES_S = (0, 3600, 86_400, 7 * 86_400, LONGEST_GRACE_S)
_MOST_RATE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the list shows it. places: the namespaces and retrievers that it is limited to, by name or id."""

    key: ApiKey
    user: str
    status: str
    places: tuple[str, ...]

    @property
    def has_grace(self) -> bool:
        """Whether a former secret still opens."""
        return self.key.previous_until is not None and self.key.previous_until > datetime.now(UTC)


async def show(visit: Visit) -> Response:
    principal = await visit.ruling()
    return visit.page("keys.html", **await _listed(visit, principal), graces=GRACES_S)


async def create(visit: Visit) -> Response:
    principal = await visit.ruling()
    draft = KeyDraft(
        name=visit.field("name"),
        permissions=fields.choices(visit.chosen("permission"), "permission", Permission),
        description=visit.field("description")[:500],
        expires_at=fields.moment(visit.field("expires"), "expires"),
        scopes=_scopes(visit),
        rate_limit_override=fields.whole(visit.field("rate"), "rate", 1, _MOST_RATE),
    )
    with visit.making("api_keys"):
        made = await visit.service(KeyService).create(principal, draft, visit.field("user") or None)
    return _issued(visit, made, await _listed(visit, principal))


async def detail(visit: Visit) -> Response:
    principal = await visit.ruling()
    row = await _row(visit, principal)
    today = datetime.now(UTC).date()
    window = UsageWindow(today - timedelta(days=USUAL_DAYS - 1), today)
    used = await visit.service(UsageMeter).of_key(principal, row.key.key_id, window)
    return visit.page(
        "key.html",
        row=row,
        graces=GRACES_S,
        is_own=row.key.key_id == principal.key_id,
        charts=charts_of(visit.language, used),
        endpoints=endpoints_of(used.rows),
        days=USUAL_DAYS,
    )


async def rotate(visit: Visit) -> Response:
    principal = await visit.ruling()
    row = await _row(visit, principal)
    grace_s = fields.whole(visit.field("grace_s", "0"), "grace_s", 0, LONGEST_GRACE_S) or 0
    made = await visit.service(KeyService).rotate(principal, row.key.key_id, grace_s=grace_s)
    return _issued(visit, made)


async def revoke(visit: Visit) -> Response:
    principal = await visit.ruling()
    row = await _row(visit, principal)
    await visit.service(KeyService).revoke(principal, row.key.key_id)
    return visit.moved(f"/settings/keys/{row.key.key_id}")


def rows_of(visit: Visit, keys: list[ApiKey], users: dict[str, User]) -> list[KeyRow]:
    now, names = datetime.now(UTC), {one.namespace_id: one.name for one in visit.namespaces}
    return [
        KeyRow(
            key,
            users[key.user_id].email if key.user_id in users else key.user_id,
            key.status(now),
            tuple(_place(scope, names) for scope in key.scopes),
        )
        for key in keys
    ]


async def _listed(visit: Visit, principal: Principal) -> dict[str, Any]:
    users = await visit.service(UserService).list(principal)
    keys = await visit.service(KeyService).list(principal, include_revoked=visit.asked("revoked") == "yes")
    return {
        "rows": rows_of(visit, list(keys), {one.user_id: one for one in users}),
        "users": users,
        "permissions": list(Permission),
        "with_revoked": visit.asked("revoked") == "yes",
        "own": principal.key_id,
        "own_user": principal.user_id,
    }


def _issued(visit: Visit, made: Created, listed: Mapping[str, Any] | None = None) -> Response:
    """The key, this once, above everything; and the list with it, where there is one."""
    response = visit.page("_issued.html", made=made, listed=listed is not None, **(listed or {}))
    response.headers["hx-retarget"] = "#issued"
    response.headers["hx-reswap"] = "innerHTML show:#issued:top"
    return response


async def _row(visit: Visit, principal: Principal) -> KeyRow:
    """Raises: NotFoundError."""
    key_id = visit.request.path_params["key_id"]
    users = {one.user_id: one for one in await visit.service(UserService).list(principal)}
    every = await visit.service(KeyService).list(principal, include_revoked=True)
    found = rows_of(visit, [one for one in every if one.key_id == key_id], users)
    if not found:
        raise NotFoundError.of("API key", key_id)
    return found[0]


def _scopes(visit: Visit) -> tuple[dict[str, Any], ...]:
    """Raises: BadRequestError where the key is to be limited and nothing says to what."""
    namespaces, retrievers = visit.chosen("namespace"), fields.listed(visit.field("retrievers"))
    if visit.field("reach") == "limited" and not (namespaces or retrievers):
        raise BadRequestError("namespace: what the key is limited to, or let it reach everything", field="namespace")
    if visit.field("reach") != "limited":
        return ()
    named = [("namespace", one) for one in namespaces] + [("retriever", one) for one in retrievers]
    return tuple({"resource_type": kind, "resource_id": one, "operations": None} for kind, one in named)


def _place(scope: dict[str, JSON], names: dict[str, str]) -> str:
    namespace = str(scope.get("namespace_id"))
    name = names.get(namespace, namespace)
    return name if scope.get("resource_type") == "namespace" else f"{name} / {scope.get('resource_id')}"
