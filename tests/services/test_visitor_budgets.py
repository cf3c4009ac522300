"""A visitor's budget is his: never overspent, never another's."""

import asyncio

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.errors import TooManyRequestsError
from tamis.model.principal import Client, Principal
from tamis.services.access.visitor_budgets import VisitorBudgets
from tamis.storage.rates import MemoryRates


def visitor(name: str, credits: float | None = None, requests: int | None = None) -> Principal:
    return Principal("org_1", "ns_1", client=Client(name, credits, requests))


async def spend(budgets: VisitorBudgets, who: Principal, wanted: float) -> float:
    """As an execution does: it begins, others come, it costs at most what is left."""
    async with budgets.opened(who) as purse:
        await asyncio.sleep(0)
        purse.spent = min(wanted, purse.left)
        return purse.spent


async def fail(budgets: VisitorBudgets, who: Principal, error: type[BaseException]) -> None:
    async with budgets.opened(who) as purse:
        purse.spent = 0.3
        raise error


async def test_executions_at_once_never_spend_more_than_there_is() -> None:
    budgets = VisitorBudgets(MemoryRates(), LocalLocks())
    who = visitor("anna", 1.0)
    spent = await asyncio.gather(*(spend(budgets, who, 0.4) for _ in range(6)), return_exceptions=True)
    paid = [one for one in spent if isinstance(one, float)]
    assert paid == pytest.approx([0.4, 0.4, 0.2])
    assert [type(one) for one in spent[3:]] == [TooManyRequestsError] * 3


async def test_one_spends_nothing_of_the_others() -> None:
    budgets = VisitorBudgets(MemoryRates(), LocalLocks())
    assert await spend(budgets, visitor("anna", 1.0), 5.0) == 1.0
    assert await spend(budgets, visitor("bert", 1.0), 0.5) == 0.5
    with pytest.raises(TooManyRequestsError, match="1 credits a day"):
        await spend(budgets, visitor("anna", 1.0), 0.1)


async def test_what_failed_or_was_left_is_paid_and_lets_the_next_go_on() -> None:
    budgets = VisitorBudgets(MemoryRates(), LocalLocks())
    who = visitor("anna", 1.0)
    for error in (ValueError, asyncio.CancelledError):
        with pytest.raises(error):
            await fail(budgets, who, error)
    assert await spend(budgets, who, 9.0) == pytest.approx(0.4)


async def test_a_queue_has_an_end() -> None:
    budgets = VisitorBudgets(MemoryRates(), LocalLocks())
    who = visitor("anna", 100.0)
    results = await asyncio.gather(*(spend(budgets, who, 0.1) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(one, float) for one in results) == 8
    assert await spend(budgets, who, 0.1) == 0.1


async def test_requests_are_counted_before_anything_waits() -> None:
    budgets = VisitorBudgets(MemoryRates(), LocalLocks())
    who = visitor("anna", requests=2)
    for _ in range(2):
        await spend(budgets, who, 0.0)
    with pytest.raises(TooManyRequestsError, match="2 requests a minute") as refused:
        await spend(budgets, who, 0.0)
    assert refused.value.retry_after_s > 0


async def test_who_has_a_key_has_no_such_budget() -> None:
    assert await spend(VisitorBudgets(MemoryRates(), LocalLocks()), Principal("org_1", "ns_1"), 7.0) == 7.0


async def test_servers_that_share_rates_and_locks_overspend_nothing_together() -> None:
    rates, locks = MemoryRates(), LocalLocks()
    servers = [VisitorBudgets(rates, locks) for _ in range(3)]
    who = visitor("anna", 1.0)
    spent = await asyncio.gather(*(spend(servers[n % 3], who, 0.4) for n in range(6)), return_exceptions=True)
    assert sum(one for one in spent if isinstance(one, float)) == pytest.approx(1.0)
