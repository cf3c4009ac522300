"""What was spent, by day, kind and namespace: of executions in the transaction that keeps their record."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.execution import ExecutionHeader
from tamis.model.principal import Principal
from tamis.model.usage import Spending, UsageWindow
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import credits_spent

_MICRO = 1_000_000
_SLOTS = 64
_EPOCH = date(1970, 1, 1)
_ALL = UsageWindow(_EPOCH, date(9999, 12, 31))

_c = credits_spent.c
_new = insert(credits_spent)
_ADD = _new.on_conflict_do_update(
    index_elements=list(credits_spent.primary_key),
    set_={name: _c[name] + getattr(_new.excluded, name) for name in ("micro_credits", "executions")},
)
_within = and_(
    _c.organization_id == bindparam("organization_id"), _c.day >= bindparam("start"), _c.day <= bindparam("end")
)
_SPENT = (
    select(_c.operation, _c.in_namespace, func.sum(_c.micro_credits), func.sum(_c.executions))
    .where(_within)
    .group_by(_c.operation, _c.in_namespace)
    .order_by(_c.operation, _c.in_namespace)
)


class CreditCounts:
    def __init__(self, link: Link) -> None:
        self._link = link
        # As in ExecutionCounts: two transactions that count at once never meet in a row.
        self._slot = 0 if link.backend == "sqlite" else link.driver.info.backend_pid % _SLOTS

    def add(self, entries: Iterable[tuple[Principal, ExecutionHeader]]) -> None:
        """What each execution cost; one that cost nothing costs nothing here either."""
        sums: dict[tuple[str, int, str, str], list[int]] = {}
        for principal, header in entries:
            if header.credits_used > 0:
                day = (header.started_at.date() - _EPOCH).days
                key = (principal.organization_id, day, header.mode, principal.namespace_id)
                total = sums.setdefault(key, [0, 0])
                total[0] += round(header.credits_used * _MICRO)
                total[1] += 1
        self._link.run_many(_ADD, [self._row(key, sums[key]) for key in sorted(sums)])

    def charge(self, principal: Principal, operation: str, day: date, credits: float) -> None:
        micro = round(credits * _MICRO)
        if micro > 0:
            key = (principal.organization_id, (day - _EPOCH).days, operation, principal.namespace_id)
            self._link.run(_ADD, self._row(key, (micro, 0)))

    def _row(self, key: tuple[str, int, str, str], total: Sequence[int]) -> dict[str, Any]:
        organization_id, day, operation, namespace_id = key
        return {
            "organization_id": organization_id,
            "day": day,
            "operation": operation,
            "in_namespace": namespace_id,
            "slot": self._slot,
            "micro_credits": total[0],
            "executions": total[1],
        }


class SqlCredits:
    def __init__(self, link: Link, settle: Callable[[], None]) -> None:
        """settle: called before counters are read, so that nothing waits to be counted."""
        self._link = link
        self._settle = settle
        self._counts = CreditCounts(link)

    def charge(self, principal: Principal, operation: str, day: date, credits: float) -> None:
        self._counts.charge(principal, operation, day, credits)

    def spent(self, principal: Principal, window: UsageWindow | None = None) -> Sequence[Spending]:
        """In all namespaces of the organisation; None is all of time."""
        self._settle()
        chosen = window or _ALL
        bounds = {
            "organization_id": principal.organization_id,
            "start": (chosen.start - _EPOCH).days,
            "end": (chosen.end - _EPOCH).days,
        }
        return [
            Spending(operation, namespace_id, int(micro) / _MICRO, int(executions))
            for operation, namespace_id, micro, executions in self._link.rows(_SPENT, bounds)
        ]
