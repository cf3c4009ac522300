"""A request's first write, and what has to hold in its very transaction: preconditions and idempotency come in here.

Services know nothing of it. What the edge asks for hangs on the request, and each backend's `write` looks at it once.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tamis.engine.ports.metadata import Session

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Change:
    """before: run ahead of the first write; what one raises, that write raises, and nothing is written.

    after: run behind it, told what it gave.  Both in its transaction, and again where the store runs that again.
    is_made: whether the first write is durable.
    """

    before: list[Callable[[Session], None]] = field(default_factory=list)
    after: list[Callable[[Session, Any], None]] = field(default_factory=list)
    is_made: bool = False

    def around(self, function: Callable[[Session], T]) -> Callable[[Session], T]:
        def whole(session: Session) -> T:
            for condition in self.before:
                condition(session)
            value = function(session)
            for consequence in self.after:
                consequence(session, value)
            return value

        return whole


_CURRENT: ContextVar[Change | None] = ContextVar("tamis_change", default=None)


@contextmanager
def in_one_change() -> Iterator[Change]:
    """The change of the request that runs in this block; one that stands already is joined."""
    current = _CURRENT.get()
    if current is not None:
        yield current
        return
    change = Change()
    token = _CURRENT.set(change)
    try:
        yield change
    finally:
        _CURRENT.reset(token)
        # Tasks that the request began and left behind inherit the variable.
        change.is_made = True


@contextmanager
def beside_the_change() -> Iterator[None]:
    """Writes in this block prepare the request's change or clean up behind it: nothing hangs on them."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        _CURRENT.reset(token)


async def write_in_change(
    function: Callable[[Session], T], write: Callable[[Callable[[Session], T]], Awaitable[T]]
) -> T:
    """`write(function)`, and where it is the first of a request, with what its change asks for."""
    change = _CURRENT.get()
    if change is None or change.is_made:
        return await write(function)
    value = await write(change.around(function))
    change.is_made = True
    return value
