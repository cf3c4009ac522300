"""Time to delete by: ahead with patience, back at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tamis.model.namespace import Namespace, RecordPolicy
from tamis.services.records.retention import Sweeper
from tamis.services.upkeep.patient_clock import HOLD_S, PatientClock
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.retention import insert
from tamis.testing.metadata_contract.samples import ME, NOW
from tests.services.test_retention import total

YEARS = timedelta(days=3650)


class Machine:
    """A clock that can be set, over one that cannot."""

    def __init__(self, wall: datetime = NOW) -> None:
        self.wall = wall.astimezone(UTC)
        self.passed_ms = 0.0

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed_ms += seconds * 1000

    def now(self) -> datetime:
        return self.wall

    def monotonic_ms(self) -> float:
        return self.passed_ms


def test_steady_time_is_the_time() -> None:
    machine = Machine()
    clock = PatientClock(machine)
    for seconds in (0.1, 10, 86_400, 1e7):
        machine.passes(seconds)
        assert clock.now() == machine.wall
        machine.wall += timedelta(seconds=30)  # as clocks are corrected
        assert clock.now() == machine.wall


def test_a_step_ahead_is_followed_once_it_has_held() -> None:
    machine = Machine()
    clock = PatientClock(machine)
    right = machine.wall
    machine.wall += YEARS
    assert clock.now() == right
    machine.passes(HOLD_S - 1)
    assert clock.now() == right + timedelta(seconds=HOLD_S - 1), "time passes as before"
    machine.passes(1)
    assert clock.now() == machine.wall


def test_a_clock_that_jumps_about_is_never_followed_ahead() -> None:
    machine = Machine()
    clock = PatientClock(machine)
    right = machine.wall
    for number in range(20):
        machine.wall = right + machine.passed_ms / 1000 * timedelta(seconds=1) + YEARS * (number % 3)
        assert clock.now() <= right + timedelta(milliseconds=machine.passed_ms)
        machine.passes(HOLD_S / 2)


def test_a_step_back_is_followed_at_once_and_the_way_home_with_patience() -> None:
    machine = Machine()
    clock = PatientClock(machine)
    machine.wall -= YEARS
    assert clock.now() == machine.wall
    machine.wall += YEARS
    assert clock.now() == machine.wall - YEARS, "nothing is deleted too early"
    machine.passes(HOLD_S)
    assert clock.now() == machine.wall


async def test_no_record_goes_because_a_clock_jumped_ahead(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    policy = RecordPolicy(max_age_s=86_400)
    await metadata.write(
        lambda session: session.namespaces.insert(ME, Namespace(ME.namespace_id, "ns", NOW, NOW, record_policy=policy))
    )
    await insert(metadata, (samples.execution(number, number) for number in range(5)), ME)
    machine = Machine()
    sweeper = Sweeper(metadata, PatientClock(machine))
    machine.wall += YEARS
    assert await sweeper.sweep() == 0
    machine.wall -= YEARS
    assert await sweeper.sweep() == 0
    assert await total(metadata, ME) == 5
    machine.passes(86_400 + 2.5)
    assert await sweeper.sweep() == 3, "what is due goes"
    await metadata.close()
