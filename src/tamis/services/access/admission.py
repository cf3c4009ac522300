"""Who may ask now: the rates of an organisation by kind of operation, and of a key that has one of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Session
from tamis.engine.ports.rates import MINUTE_S, Claim, Rate, Rates, Standing, whole_seconds
from tamis.errors import QuotaExceededError, TooManyRequestsError
from tamis.model.limits import UNLIMITED, OperationKind, RateLimits, TierLimits
from tamis.model.principal import AccountTier, Principal


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a caller is told of the limit that is nearest. reset_at: seconds since 1970; window_s: of the limit."""

    limit: int
    remaining: int
    reset_at: int
    window_s: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset_at),
            (b"x-ratelimit-window", b"%d" % self.window_s),
        ]


@dataclass(frozen=True, slots=True)
class Admitted:
    """refusal: what to raise where the request may not go on."""

    allowed: Allowed
    refusal: TooManyRequestsError | None


class Admission:
    """tiers: what organisations get; a tier that is not named gets as much as it wants."""

    def __init__(self, rates: Rates, clock: Clock, tiers: Mapping[AccountTier, TierLimits]) -> None:
        self._rates = rates
        self._clock = clock
        self._tiers = tiers

    def limits_of(self, principal: Principal) -> TierLimits:
        return self._tiers.get(principal.tier, UNLIMITED)

    def rates_of(self, principal: Principal) -> RateLimits | None:
        """The organisation's own, which it may set lower than its tier's; None where nothing bounds it."""
        return principal.rate_limits or self.limits_of(principal).requests_per_minute

    def bounds(self, principal: Principal) -> bool:
        """Whether anything bounds how often this caller may ask."""
        return principal.rate_limit_override is not None or self.rates_of(principal) is not None

    async def admit(self, principal: Principal, kind: OperationKind) -> Admitted | None:
        """Take one request of every limit that there is, or nothing of any; None where there is none."""
        claims = self._claims(principal, kind)
        if not claims:
            return None
        decision = await self._rates.take(claims)
        nearest = decision.tightest
        if nearest is None:
            return None
        return Admitted(self._allowed(nearest), None if decision.is_granted else _refusal(nearest, kind))

    def quota(self, principal: Principal, noun: str) -> Callable[..., None] | None:
        """What has to hold in the transaction that makes one more of a noun of `NOUNS`; None where nothing has to.

        It is called with the session and, where it is not one, how many more are made.
        """
        most = (self.limits_of(principal).quotas or {}).get(noun)
        return None if most is None else partial(_check_quota, principal=principal, noun=noun, most=most)

    def _claims(self, principal: Principal, kind: OperationKind) -> tuple[Claim, ...]:
        rates = self.rates_of(principal)
        if rates is None and principal.rate_limit_override is None:
            return ()
        return _claims(principal.organization_id, principal.key_id, kind, rates, principal.rate_limit_override)

    def _allowed(self, standing: Standing) -> Allowed:
        rate = standing.claim.rate
        reset_at = self._clock.now().timestamp() + standing.reset_s
        return Allowed(int(rate.limit), int(standing.remaining), round(reset_at), int(rate.window_s))


def _check_quota(session: Session, more: int = 1, *, principal: Principal, noun: str, most: int) -> None:
    """Raises: QuotaExceededError."""
    current = _count(session, principal, noun)
    if current + more > most:
        raise QuotaExceededError(
            f"this organization has {current} of at most {most} {noun.replace('_', ' ')}{_wanted(more)}",
            resource=noun,
            current=current,
            limit=most,
            tier=str(principal.tier),
        )


def _wanted(more: int) -> str:
    return f"; {more} more are too many" if more > 1 else ""


def _count(session: Session, principal: Principal, noun: str) -> int:
    """In all namespaces of the organisation, seen by whoever asks or not."""
    anyone = principal.unscoped()
    if noun == "api_keys":
        return sum(key.revoked_at is None for key in session.keys.list(anyone))
    namespaces = session.namespaces.list(anyone)
    if noun == "namespaces":
        return len(namespaces)
    inside = [anyone.within(namespace.namespace_id) for namespace in namespaces]
    if noun == "documents":
        return sum(
            session.documents.count(each, collection.collection_id)
            for each in inside
            for collection in session.collections.list(each)
        )
    return sum(len(getattr(session, noun).list(each)) for each in inside)


def _refusal(refused: Standing, kind: OperationKind) -> TooManyRequestsError:
    is_keys = refused.claim.subject.startswith("key:")
    who, what = ("key", "requests") if is_keys else ("organization", f"{kind} requests")
    limit, seconds = int(refused.claim.rate.limit), whole_seconds(refused.retry_after_s)
    return TooManyRequestsError(
        f"this {who} may send {limit} {what} a minute; try again in {seconds} s",
        retry_after_s=refused.retry_after_s,
        limit=limit,
        window="1m",
        retry_after=seconds,
        api_name=str(kind),
        subject=who,
    )


@lru_cache(maxsize=4096)
def _claims(
    organization_id: str, key_id: str, kind: OperationKind, rates: RateLimits | None, override: int | None
) -> tuple[Claim, ...]:
    claims = []
    if rates is not None:
        claims.append(Claim(f"org:{organization_id}:{kind}", Rate(rates.of(kind), MINUTE_S)))
    if override is not None:
        claims.append(Claim(f"key:{key_id}", Rate(override, MINUTE_S)))
    return tuple(claims)
