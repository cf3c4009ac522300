"""Users of the organisation: who holds keys, and the most that those may do."""

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.organization import UserRole, UserStatus
from tamis.services.access.keys import KeyService
from tamis.services.access.users import UserDraft, UserService
from tamis.studio import fields
from tamis.studio.keys import rows_of
from tamis.studio.visit import Visit

_LONGEST_NAME = 100


async def show(visit: Visit) -> Response:
    principal = await visit.ruling()
    users = await visit.service(UserService).list(principal)
    keys = await visit.service(KeyService).list(principal)
    held = {one.user_id: sum(key.user_id == one.user_id for key in keys) for one in users}
    return visit.page("users.html", users=users, held=held, roles=list(UserRole), own=principal.user_id)


async def create(visit: Visit) -> Response:
    principal = await visit.ruling()
    role = fields.choice(visit.field("role", UserRole.MEMBER), "role", UserRole)
    draft = UserDraft(visit.field("email"), _name(visit), role)
    made = await visit.service(UserService).create(principal, draft)
    return visit.moved(f"/settings/users/{made.user_id}")


async def detail(visit: Visit) -> Response:
    principal = await visit.ruling()
    user = await visit.service(UserService).get(principal, _id(visit))
    keys = await visit.service(KeyService).list(principal, user.email, include_revoked=True)
    return visit.page(
        "user.html",
        user=user,
        rows=rows_of(visit, list(keys), {user.user_id: user}),
        roles=list(UserRole),
        statuses=[UserStatus.ACTIVE, UserStatus.SUSPENDED],
        own=principal.key_id,
        is_own=user.user_id == principal.user_id,
    )


async def change(visit: Visit) -> Response:
    principal = await visit.ruling()
    changes = {
        # The administrator of the first start has no name.
        **({"name": _name(visit)} if visit.field("name") else {}),
        "role": fields.choice(visit.field("role"), "role", UserRole),
        "status": fields.choice(visit.field("status"), "status", UserStatus),
    }
    changed = await visit.service(UserService).update(principal, _id(visit), changes)
    return visit.moved(f"/settings/users/{changed.user_id}")


async def delete(visit: Visit) -> Response:
    principal = await visit.ruling()
    await visit.service(UserService).delete(principal, _id(visit))
    return visit.moved("/settings/users")


def _name(visit: Visit) -> str:
    name = visit.field("name")
    if not 2 <= len(name) <= _LONGEST_NAME:
        raise BadRequestError(f"name: 2 to {_LONGEST_NAME} characters", field="name")
    return name


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["user_id"])
