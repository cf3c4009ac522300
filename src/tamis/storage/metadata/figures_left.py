"""How far executions from before there were figures have been counted.

They are counted in the order of their keys. An execution that came later and began earlier, an imported one say, or one
that is deleted, is counted or not according to whether the count has passed its key: so both change the same row, and
on PostgreSQL one of two that meet there begins again.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import bindparam, delete, select, update

from tamis.model.execution import ExecutionHeader
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import figures_left

After: TypeAlias = dict[str, str]
K = TypeVar("K", bound=tuple[Principal, ExecutionHeader, bytes])

_c = figures_left.c
_KEY = ("in_organization", "in_namespace", "after_id")
_BEFORE = select(_c.before_at)
_CLAIM = update(figures_left).values(turn=_c.turn + 1).returning(_c.before_at, *(_c[name] for name in _KEY))
_MOVE = (
    update(figures_left)
    .where(_c.before_at == bindparam("was_before"))
    .values({name: bindparam(f"to_{name}") for name in _KEY})
)
_END = delete(figures_left)


class FiguresLeft:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._before: int | None = None
        self._is_done = False  # nothing ever begins it again

    def is_whole(self) -> bool:
        if not self._is_done:
            self._before = self._link.value(_BEFORE, {})
            self._is_done = self._before is None
        return self._is_done

    def counted(self, kept: Sequence[K]) -> list[K]:
        """Of executions that come or go now, those that are counted now, and not by whoever counts the older ones."""
        if self._before is None and self.is_whole():
            return list(kept)
        before_at, after = self._before or 0, None
        counted = []
        for one in kept:
            if to_micros(one[1].started_at) < before_at:
                after = self.claim()[1] if after is None else after
                if after and _key(one) > tuple(after.values()):
                    continue
            counted.append(one)
        return counted

    def claim(self) -> tuple[int | None, After]:
        """(since when executions are counted as they come, the last key that was counted); (None, {}) at the end."""
        row = self._link.row(_CLAIM, {})
        return (None, {}) if row is None else (row[0], dict(zip(_KEY, row[1:], strict=True)))

    def move(self, before_at: int, to: Any) -> None:
        """to: the last key that was counted; None: there are no more."""
        if to is None:
            self._link.run(_END, {})
        else:
            named = {f"to_{name}": value for name, value in zip(_KEY, to, strict=True)}
            self._link.run(_MOVE, {"was_before": before_at, **named})


def _key(one: tuple[Principal, ExecutionHeader, bytes]) -> tuple[str, str, str]:
    return one[0].organization_id, one[0].namespace_id, one[1].execution_id
