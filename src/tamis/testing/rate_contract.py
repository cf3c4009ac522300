"""What every implementation of the `Rates` port must do, as tests that a backend inherits:

class TestMine(RateContract):
    @pytest.fixture
    async def rates(self) -> AsyncIterator[Rates]:
        ...  # one that has counted nothing

    @pytest.fixture
    def wait(self) -> Wait:
        ...  # lets so many seconds pass, for it
"""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tamis.engine.ports.rates import Claim, Rate, Rates

Wait = Callable[[float], Awaitable[None]]

SHORT = Rate(3, 2.0)
LONG = Rate(4, 3_600.0)


def claims(subject: str = "a", amount: float = 1.0) -> list[Claim]:
    return [Claim(subject, SHORT, amount), Claim(subject, LONG, amount)]


class RateContract:
    @pytest.fixture
    def rates(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def wait(self) -> Any:
        raise NotImplementedError

    async def test_as_much_as_the_rate_is_granted_and_no_more(self, rates: Rates) -> None:
        left = []
        for _ in range(3):
            decision = await rates.take([Claim("a", SHORT)])
            assert decision.is_granted
            assert decision.retry_after_s == 0
            left.append(decision.standings[0].remaining)
        assert left == [2, 1, 0]
        refused = await rates.take([Claim("a", SHORT)])
        assert not refused.is_granted
        assert refused.standings[0].used == 3
        assert 0 < refused.retry_after_s <= SHORT.window_s * 1.1
        assert 0 < refused.standings[0].reset_s <= SHORT.window_s * 1.1

    async def test_it_is_granted_again_when_it_said(self, rates: Rates, wait: Wait) -> None:
        for _ in range(3):
            await rates.take([Claim("a", SHORT)])
        await wait((await rates.take([Claim("a", SHORT)])).retry_after_s)
        assert (await rates.take([Claim("a", SHORT)])).is_granted

    async def test_no_window_holds_more_than_the_limit_wherever_it_begins(self, rates: Rates, wait: Wait) -> None:
        await rates.take([Claim("a", SHORT)])
        await wait(SHORT.window_s * 0.75)
        for _ in range(2):
            assert (await rates.take([Claim("a", SHORT)])).is_granted
        await wait(SHORT.window_s * 0.4)
        assert (await rates.take([Claim("a", SHORT)])).is_granted
        assert not (await rates.take([Claim("a", SHORT)])).is_granted

    async def test_of_several_claims_all_are_taken_or_none(self, rates: Rates, wait: Wait) -> None:
        for _ in range(3):
            assert (await rates.take(claims())).is_granted
        refused = await rates.take(claims())
        assert [one.used for one in refused.standings] == [3, 3]
        assert refused.tightest is refused.standings[0]
        await wait(SHORT.window_s * 1.1)
        assert (await rates.take(claims())).is_granted
        last = await rates.take(claims())
        assert not last.is_granted
        assert [one.used for one in last.standings] == [1, 4]
        assert last.retry_after_s > SHORT.window_s

    async def test_many_at_once_get_what_there_is(self, rates: Rates) -> None:
        granted = await asyncio.gather(*(rates.take([Claim("a", LONG), Claim("b", LONG)]) for _ in range(20)))
        assert sum(one.is_granted for one in granted) == 4

    async def test_subjects_and_windows_do_not_count_for_each_other(self, rates: Rates) -> None:
        for _ in range(3):
            await rates.take([Claim("a", SHORT)])
        assert (await rates.look([Claim("b", SHORT)])).is_granted
        assert (await rates.look([Claim("a", LONG)])).standings[0].used == 0

    async def test_looking_takes_nothing(self, rates: Rates) -> None:
        for _ in range(9):
            assert (await rates.look([Claim("a", SHORT)])).standings[0].remaining == 3

    async def test_what_is_charged_counts_though_it_does_not_fit(self, rates: Rates, wait: Wait) -> None:
        charged = await rates.charge([Claim("a", SHORT, 7.5)])
        assert charged.is_granted
        assert charged.standings[0].used == 7.5
        assert charged.standings[0].remaining == 0
        refused = await rates.take([Claim("a", SHORT, 0.25)])
        assert not refused.is_granted
        await wait(refused.retry_after_s)
        assert (await rates.take([Claim("a", SHORT, 0.25)])).is_granted

    async def test_parts_add_up_to_the_whole(self, rates: Rates) -> None:
        for _ in range(30):
            assert (await rates.take([Claim("a", SHORT, 0.1)])).is_granted
        assert not (await rates.take([Claim("a", SHORT, 0.1)])).is_granted

    async def test_what_is_more_than_the_rate_is_never_granted(self, rates: Rates) -> None:
        refused = await rates.take([Claim("a", SHORT, 3.5)])
        assert not refused.is_granted
        assert refused.retry_after_s == math.inf
        assert (await rates.take([Claim("a", SHORT, 3)])).is_granted

    async def test_another_limit_counts_what_was_taken_before(self, rates: Rates) -> None:
        for _ in range(3):
            await rates.take([Claim("a", SHORT)])
        raised = await rates.take([Claim("a", Rate(5, SHORT.window_s))])
        assert raised.is_granted
        assert raised.standings[0].used == 4

    async def test_a_claim_of_nothing_is_granted_as_long_as_nothing_is_overdrawn(self, rates: Rates) -> None:
        await rates.take([Claim("a", SHORT, 3)])
        assert (await rates.take([Claim("a", SHORT, 0)])).is_granted
        assert (await rates.take([])).is_granted

    async def test_the_same_claim_twice_is_a_mistake(self, rates: Rates) -> None:
        with pytest.raises(ValueError, match="same subject and window"):
            await rates.take([Claim("a", SHORT), Claim("a", SHORT)])
