"""How often a published retriever may be asked: by all together, by each network address, by each visitor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tamis.engine.ports.rates import DAY_S, HOUR_S, MINUTE_S, Claim, Decision, Rate, Rates
from tamis.model.published import LimitTier, PublicLimits, PublishedRetriever
from tamis.services.access.visitor_budgets import refusal

_MINUTE_HOUR_DAY = (MINUTE_S, HOUR_S, DAY_S)
TIERS: Mapping[LimitTier, tuple[int, int, int] | None] = {
    LimitTier.STANDARD: (60, 1_000, 10_000),
    LimitTier.ELEVATED: (300, 5_000, 50_000),
    LimitTier.ENTERPRISE: (1_000, 20_000, 200_000),
    LimitTier.UNLIMITED: None,
}
"""Requests of all visitors together a minute, an hour and a day, where the publisher says nothing else."""
_ADDRESS_SHARE = 10
"""One address gets this part of the hour's requests, where addresses are bounded and nothing else is said."""
_GUESSES = Rate(10, 15 * 60.0)
_GUESSES_BY_ALL = Rate(200, HOUR_S)
LOOKS = Rate(300, MINUTE_S)
"""Of one address at configurations, pipelines, templates and the list of all."""
_PER_SEARCH = 10
"""What a visitor does with the answers to a search: so many times the requests."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """address: of the network, as far as that can be trusted.  name: signed by a key's holder, else empty."""

    address: str
    name: str = ""

    @property
    def identity(self) -> str:
        """By whom spending and requests are counted: what he claims without proof does not make him another."""
        return f"token {self.name}" if self.name else f"address {self.address}"


class PublicRates:
    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    async def search(self, published: PublishedRetriever, visitor: Visitor) -> Decision:
        """Take one search of all limits, or none of any; the caller tells the visitor of it (`check`)."""
        return await self._rates.take(list(_claims(published, visitor, "search", 1)))

    async def interact(self, published: PublishedRetriever, visitor: Visitor, count: int) -> Decision:
        return await self._rates.take(list(_claims(published, visitor, "interactions", _PER_SEARCH, count)))

    async def look(self, visitor: Visitor) -> Decision:
        """Whatever he looks at, so that what one publisher shows costs the others nothing."""
        return await self._rates.take([Claim(f"public looks {visitor.address} address/minute", LOOKS)])

    async def guess(self, published: PublishedRetriever, visitor: Visitor) -> None:
        """Before a password is looked at: wrong ones are to be few. Raises: TooManyRequestsError."""
        decision = await self._rates.take(_guesses(published, visitor))
        if not decision.is_granted:
            raise refusal(decision.tightest or decision.standings[0], "this page", "passwords for now")


def check(decision: Decision) -> None:
    """Raises: TooManyRequestsError."""
    nearest = decision.tightest
    if nearest is not None and not decision.is_granted:
        who, _, window = nearest.claim.subject.rpartition(" ")[2].partition("/")
        raise refusal(nearest, _WHO[who], f"requests a {window}")


_WHO = {"all": "all visitors of this page together", "address": "one address", "visitor": "one visitor"}
_WINDOWS = {MINUTE_S: "minute", HOUR_S: "hour", DAY_S: "day"}


def _claims(
    published: PublishedRetriever, visitor: Visitor, what: str, times: int, amount: float = 1.0
) -> Iterator[Claim]:
    """A subject ends in who and in which window, which is what a refusal says."""
    limits = published.limits
    if not limits.enabled:
        return
    here = f"public {published.public_id} {what}"
    every = (
        ("all", "", _of_all(limits)),
        ("address", visitor.address, (None, _of_address(limits), None)),
        ("visitor", visitor.identity, (limits.visitor_per_minute, limits.visitor_per_hour, limits.visitor_per_day)),
    )
    for who, name, numbers in every:
        for number, window_s in zip(numbers, _MINUTE_HOUR_DAY, strict=True):
            if number is not None:
                yield Claim(f"{here} {name} {who}/{_WINDOWS[window_s]}", Rate(number * times, window_s), amount)


def _of_all(limits: PublicLimits) -> tuple[int | None, int | None, int | None]:
    usual = TIERS[limits.tier] or (None, None, None)
    given = (limits.per_minute, limits.per_hour, limits.per_day)
    minute, hour, day = (one if one is not None else other for one, other in zip(given, usual, strict=True))
    return minute, hour, day


def _of_address(limits: PublicLimits) -> int | None:
    if not limits.per_address:
        return None
    if limits.address_per_hour is not None:
        return limits.address_per_hour
    hour = _of_all(limits)[1]
    return None if hour is None else max(1, hour // _ADDRESS_SHARE)


def _guesses(published: PublishedRetriever, visitor: Visitor) -> list[Claim]:
    here = f"public {published.public_id} password"
    return [Claim(f"{here} {visitor.address}", _GUESSES), Claim(f"{here} all", _GUESSES_BY_ALL)]
