"""How much each key asked of each endpoint, by the hour, and when it was used last."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.usage import UsageCount, UsageRow, UsageSlot, UsageWindow
from tamis.storage.metadata.codec import from_micros, to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import key_usage, key_uses

_HOUR_S, _DAY_S = 3600, 86_400
_c, _u = key_usage.c, key_uses.c
_mine = _c.organization_id == bindparam("organization_id")
_new = insert(key_usage)
_ADD = _new.on_conflict_do_update(
    index_elements=list(key_usage.primary_key),
    set_={name: _c[name] + getattr(_new.excluded, name) for name in ("requests", "failed", "duration_us")},
)
_use = insert(key_uses)
_USED = _use.on_conflict_do_update(
    index_elements=list(key_uses.primary_key),
    set_={"used_at": _use.excluded.used_at},
    where=_use.excluded.used_at > _u.used_at,
)
_LAST = select(_u.key_id, _u.used_at).where(_u.organization_id == bindparam("organization_id"))
_day = _c.hour - _c.hour % _DAY_S
_SUMS = (func.sum(_c.requests), func.sum(_c.failed), func.sum(_c.duration_us))
_within = and_(_mine, _c.hour >= bindparam("start"), _c.hour < bindparam("end"))
_ROWS = (
    select(_c.key_id, _c.endpoint, _day.label("day"), *_SUMS)
    .where(_within)
    .group_by(_c.key_id, _c.endpoint, _day)
    .order_by(_day, _c.endpoint, _c.key_id)
)
_ROWS_OF_KEY = _ROWS.where(_c.key_id == bindparam("key_id"))
_OLDEST = select(func.min(_c.hour)).where(_mine)
_TRIM = delete(key_usage).where(_mine, _c.hour == bindparam("hour"))


class SqlUsage:
    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, counts: Mapping[UsageSlot, UsageCount], used_at: Mapping[tuple[str, str], datetime]) -> None:
        # In one order, so that two servers that add at once never wait for each other in a circle.
        slots = sorted(counts, key=lambda slot: (slot.organization_id, slot.key_id, slot.hour, slot.endpoint))
        self._link.run_many(_ADD, [_row(slot, counts[slot]) for slot in slots])
        uses = [
            {
                "organization_id": organization_id,
                "key_id": key_id,
                "used_at": to_micros(used_at[organization_id, key_id]),
            }
            for organization_id, key_id in sorted(used_at)
        ]
        self._link.run_many(_USED, uses)

    def rows(self, principal: Principal, window: UsageWindow, key_id: str | None = None) -> Sequence[UsageRow]:
        bounds: dict[str, Any] = {
            "organization_id": principal.organization_id,
            "start": _seconds(window.start),
            "end": _seconds(window.end + timedelta(days=1)),
        }
        found = (
            self._link.rows(_ROWS_OF_KEY, {**bounds, "key_id": key_id}) if key_id else self._link.rows(_ROWS, bounds)
        )
        return [UsageRow(key, endpoint, _date(day), *map(int, sums)) for key, endpoint, day, *sums in found]

    def last_used(self, principal: Principal) -> Mapping[str, datetime]:
        rows = self._link.rows(_LAST, {"organization_id": principal.organization_id})
        return {key_id: from_micros(micros) for key_id, micros in rows}

    def trim(self, principal: Principal, before: date, limit: int) -> int:
        """Hour by hour, until `limit` rows are gone."""
        removed, end = 0, _seconds(before)
        mine = {"organization_id": principal.organization_id}
        while removed < limit:
            hour = self._link.value(_OLDEST, mine)
            if hour is None or hour >= end:
                break
            removed += self._link.run(_TRIM, {**mine, "hour": hour})
        return removed


def _row(slot: UsageSlot, count: UsageCount) -> dict[str, Any]:
    return {
        "organization_id": slot.organization_id,
        "key_id": slot.key_id,
        "hour": slot.hour // _HOUR_S * _HOUR_S,
        "endpoint": slot.endpoint,
        "requests": count.requests,
        "failed": count.failed,
        "duration_us": count.duration_us,
    }


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _date(seconds: int) -> date:
    return datetime.fromtimestamp(int(seconds), UTC).date()
