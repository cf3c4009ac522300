"""Cron expressions, against a walk minute by minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.engine.cron import Cron, parse_cron


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "moment", "following"),
    [
        ("0 2 * * *", "UTC", "2026-03-04 01:59", "2026-03-04 02:00"),
        ("0 2 * * *", "UTC", "2026-03-04 02:00", "2026-03-05 02:00"),
        ("*/15 9-17 * * mon-fri", "UTC", "2026-03-06 17:50", "2026-03-09 09:00"),
        ("30 4 1,15 * 5", "UTC", "2026-03-02 00:00", "2026-03-06 04:30"),
        ("0 0 29 2 *", "UTC", "2026-03-01 00:00", "2028-02-29 00:00"),
        ("0 12 * jan,jul 7", "UTC", "2026-02-01 00:00", "2026-07-05 12:00"),
        ("@hourly", "UTC", "2026-03-04 01:59", "2026-03-04 02:00"),
        ("5/20 * * * *", "UTC", "2026-03-04 01:26", "2026-03-04 01:45"),
        # Berlin's clocks jump from 2 to 3 on this day, and go back on that one: half past two is not there, then twice.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-26 01:30"),
    ],
)
def test_the_next_time(expression: str, zone: str, moment: str, following: str) -> None:
    assert parse_cron(expression, zone).after(at(moment)) == at(following)


def test_a_day_that_never_comes() -> None:
    assert parse_cron("0 0 30 2 *").after(at("2026-01-01 00:00")) is None


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("* * * *", "these are 4"),
        ("60 * * * *", "minute: '60'"),
        ("* 24 * * *", "hour: '24'"),
        ("* * 0 * *", "day: '0'"),
        ("* * * foo *", "month: 'foo'"),
        ("* * * * 8", "weekday: '8'"),
        ("30-10 * * * *", "runs backwards"),
        ("*/0 * * * *", "minute: '0'"),
        ("1, * * * *", "minute: ''"),
        ("*/ * * * *", "minute: ''"),
        ("٣ * * * *", "minute"),
    ],
)
def test_what_is_none_says_why(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_cron(expression)


def test_no_such_time_zone() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="time zone"):
            parse_cron("* * * * *", zone)


def matches(cron: Cron, moment: datetime) -> bool:
    local = moment.astimezone(cron.zone)
    by_day, by_weekday = local.day in cron.days, local.isoweekday() % 7 in cron.weekdays
    is_on = (by_day and by_weekday) if cron.any_day or cron.any_weekday else (by_day or by_weekday)
    return (
        local.minute in cron.minutes and local.hour in cron.hours and local.month in cron.months and is_on
        and not local.fold
    )  # fmt: skip


FIELDS = st.tuples(
    st.sampled_from(["*", "*/7", "0", "3,41", "10-20/5"]),
    st.sampled_from(["*", "*/6", "2", "1-3", "22,23"]),
    st.sampled_from(["*", "1", "28-31", "*/9"]),
    st.sampled_from(["*", "3,10", "feb-apr"]),
    st.sampled_from(["*", "sun", "1-5", "0,6"]),
)


@settings(max_examples=40)
@given(
    FIELDS,
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2026, 3, 26), datetime(2026, 3, 31)),
)
def test_as_a_walk_minute_by_minute(fields: tuple[str, ...], zone: str, moment: datetime) -> None:
    cron = parse_cron(" ".join(fields), zone)
    begin = moment.replace(tzinfo=UTC)
    found = cron.after(begin)
    assert found is not None
    minute = begin.replace(second=0, microsecond=0)
    for _ in range(24 * 60):
        minute += timedelta(minutes=1)
        if minute > begin and matches(cron, minute):
            assert found == minute
            return
    assert found > minute
    assert matches(cron, found)
    assert found.astimezone(ZoneInfo(zone)).second == 0
