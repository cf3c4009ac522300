"""The rates of one process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.ports.rates import Claim, Rate, Rates
from tamis.storage.rates import MemoryRates
from tamis.testing.rate_contract import RateContract, Wait


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def wait(self, seconds: float) -> None:
        self.now += seconds


class TestMemoryRates(RateContract):
    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    def rates(self, time: Time) -> Rates:
        return MemoryRates(clock=time)

    @pytest.fixture
    def wait(self, time: Time) -> Wait:
        return time.wait


_STEPS = st.lists(st.tuples(st.floats(0, 15), st.sampled_from([0.5, 1, 2, 5])), max_size=60)


@given(_STEPS)
async def test_no_span_ever_holds_more_than_the_limit_and_no_promise_is_broken(
    steps: list[tuple[float, float]],
) -> None:
    time, rate = Time(), Rate(5, 10.0)
    rates = MemoryRates(clock=time)
    taken: list[tuple[float, float]] = []
    for passes_s, amount in steps:
        time.now += passes_s
        decision = await rates.take([Claim("a", rate, amount)])
        if not decision.is_granted:
            assert sum(part for at, part in taken if time.now - at < rate.window_s * 1.05 + 1e-6) + amount > rate.limit
            time.now += decision.retry_after_s
            assert (await rates.take([Claim("a", rate, amount)])).is_granted
        taken.append((time.now, amount))
        assert sum(part for at, part in taken if time.now - at < rate.window_s - 1e-6) <= rate.limit


@given(st.lists(st.floats(-1e9, 0), max_size=30))
async def test_a_clock_that_goes_back_gives_nothing_away(jumps: list[float]) -> None:
    time = Time()
    rates, claim = MemoryRates(clock=time), Claim("a", Rate(5, 60.0))
    for _ in range(5):
        assert (await rates.take([claim])).is_granted
    for jump in jumps:
        time.now += jump
        refused = await rates.take([claim])
        assert not refused.is_granted
        assert refused.retry_after_s <= 66


async def test_a_clock_that_leaps_ahead_locks_nobody_out() -> None:
    time = Time()
    rates, claim = MemoryRates(clock=time), Claim("a", Rate(1, 60.0))
    await rates.take([claim])
    time.now += 1e9
    assert (await rates.take([claim])).is_granted


async def test_only_so_many_subjects_are_remembered_and_the_busy_ones_longest() -> None:
    time = Time()
    rates = MemoryRates(capacity=100, clock=time)
    for number in range(1_000):
        await rates.take([Claim(f"visitor {number}", Rate(5, 86_400.0)), Claim("key", Rate(10_000, 86_400.0))])
        assert len(rates) <= 100
    assert (await rates.look([Claim("key", Rate(10_000, 86_400.0))])).standings[0].used == 1_000
    assert (await rates.look([Claim("visitor 999", Rate(5, 86_400.0))])).standings[0].used == 1
    assert (await rates.look([Claim("visitor 0", Rate(5, 86_400.0))])).standings[0].used == 0


async def test_who_stayed_away_for_a_window_is_forgotten() -> None:
    time = Time()
    rates = MemoryRates(clock=time)
    for number in range(50):
        await rates.take([Claim(f"visitor {number}", Rate(5, 60.0))])
    time.now += 70
    for _ in range(50):
        await rates.take([Claim("key", Rate(1_000, 60.0))])
    assert len(rates) == 1


async def test_refusals_and_looks_are_remembered_nowhere() -> None:
    rates = MemoryRates()
    for number in range(50):
        await rates.take([Claim(f"visitor {number}", Rate(1, 60.0), 2)])
        await rates.look([Claim(f"visitor {number}", Rate(1, 60.0))])
    assert len(rates) == 0
