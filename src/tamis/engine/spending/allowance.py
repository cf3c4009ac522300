"""What a running stage may still spend. A stage of many calls asks before each."""

import math

from tamis.engine.spending.prices import FREE, Price


class Allowance:
    """Handed to a stage in its context. Free calls are always granted; counted are all.

    With sequential calls, or with `tokens` told for each that it never exceeds, no more is spent than there was.
    """

    __slots__ = ("_left", "_open", "_price", "calls", "paid", "refused", "tokens")

    def __init__(self, price: Price = FREE, left: float = math.inf) -> None:
        """left: credits for calls and tokens."""
        self._price = price
        self._left = left
        self._open = True
        self.calls = 0
        self.tokens = 0
        self.refused = 0
        self.paid = 0.0

    def spend(self, calls: int = 1, tokens: int = 0) -> bool:
        """Before a call: whether there is enough for it, in which case it is charged. tokens: as many as it may use.

        After False the stage gives back what it has.
        """
        cost = self._price.of_calls(calls, tokens)
        granted = self._open and (cost <= self._left + _ROUNDING) and (self._left > _ROUNDING or self._is_free)
        if not granted:
            self.refused += calls
            return False
        self.calls += calls
        self.tokens += tokens
        self._left -= cost
        return True

    def correct(self, tokens: int) -> None:
        """After a call: tokens that it used beyond those told before it (less than none where it used fewer)."""
        self.tokens += tokens
        self._left -= self._price.of_calls(0, tokens)

    def pay(self, credits: float) -> None:
        """For what has a price of its own, such as another pipeline's run."""
        self.paid += credits
        self._left -= credits

    @property
    def left(self) -> float:
        """Credits, 0 or more; without end where nothing limits them."""
        return self._left if self._open and self._left > _ROUNDING else 0.0

    def close(self) -> None:
        """Grant nothing more: the run has gone on without the stage."""
        self._open = False

    @property
    def credits(self) -> float:
        """What the calls and tokens so far cost, and what was paid beside them."""
        return self._price.of_calls(self.calls, self.tokens) + self.paid

    @property
    def _is_free(self) -> bool:
        return not (self._price.per_call or self._price.per_1k_tokens)


_ROUNDING = 1e-9
"""Sums of credits are floats: a budget that is met to the last digit is not exceeded."""
