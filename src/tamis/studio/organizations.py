"""The organisation at a glance: what the key that is signed in may do, and which limits hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.limits import NOUNS, UNBOUNDED, OperationKind
from tamis.model.principal import Principal, Scope
from tamis.services.access.admission import Admission
from tamis.services.access.organizations import OrganizationService
from tamis.studio import fields
from tamis.studio.visit import Visit


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a minute of one kind of operation. limit, tier: None where nothing bounds it."""

    kind: str
    limit: int | None
    tier: int | None


async def show(visit: Visit) -> Response:
    view = await visit.service(OrganizationService).get(visit.principal)
    limits = visit.service(Admission).limits_of(visit.principal)
    names = {one.namespace_id: one.name for one in visit.namespaces}
    return visit.page(
        "organization.html",
        view=view,
        own=visit.principal,
        places=[_place(scope, names) for scope in visit.principal.scopes],
        rates=_rates(visit, visit.principal),
        is_own_rate=view.organization.rate_limits is not None,
        executions=limits.executions,
        quotas={noun: (limits.quotas or {}).get(noun) for noun in NOUNS},
    )


async def rename(visit: Visit) -> Response:
    principal = await visit.ruling()
    await visit.service(OrganizationService).update(principal, {"name": visit.field("name")})
    return visit.moved("/settings")


async def change_rates(visit: Visit) -> Response:
    """The organisation bounds itself; where nothing is written, its tier's hold."""
    principal = await visit.ruling()
    written = {kind: fields.whole(visit.field(kind.value), kind.value, 1, UNBOUNDED) for kind in OperationKind}
    sent = {kind: rate for kind, rate in written.items() if rate is not None}
    if visit.field("tiers") != "yes" and not sent:
        raise BadRequestError("search: a rate of at least one kind, or go back to the tier's", field="search")
    rates = None if visit.field("tiers") == "yes" else sent
    await visit.service(OrganizationService).update(principal, {"rate_limits": rates})
    return visit.moved("/settings")


def _place(scope: Scope, names: Mapping[str, str]) -> str:
    name = names.get(scope.namespace_id, scope.namespace_id)
    part = scope.retriever_id or scope.collection_id
    return f"{name} / {part}" if part else name


def _rates(visit: Visit, principal: Principal) -> list[Rate]:
    admission = visit.service(Admission)
    holding, tier = admission.rates_of(principal), admission.limits_of(principal).requests_per_minute
    return [
        Rate(kind.value, _bound(holding.of(kind)) if holding else None, tier.of(kind) if tier else None)
        for kind in OperationKind
    ]


def _bound(rate: int) -> int | None:
    return None if rate >= UNBOUNDED else rate
