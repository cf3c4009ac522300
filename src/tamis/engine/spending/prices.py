"""What stages cost, in credits. The operator's table stands over the built-in one."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from tamis.engine.spending.spending import Usage
from tamis.engine.templating.sandbox import suggestion
from tamis.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Price:
    """Credits for each run of a stage, each document that it looks at, each call to a model, and 1,000 tokens.

    Raises: ConfigurationError for what is negative or no finite number.
    """

    per_run: float = 0.0
    per_document: float = 0.0
    per_call: float = 0.0
    per_1k_tokens: float = 0.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigurationError(f"a price is a number of credits, 0 or more; {one.name} is {value!r}")

    def of(self, usage: Usage) -> float:
        """One run of the stage that uses so much; documents that are not told are none."""
        return self.per_run + self.per_document * (usage.documents or 0) + self.of_calls(usage.calls, usage.tokens)

    def of_calls(self, calls: float, tokens: float) -> float:
        return self.per_call * calls + self.per_1k_tokens * tokens / 1000


FREE = Price()
DEFAULT_PRICES: Mapping[str, Price] = {"feature_search": Price(per_run=0.01)}


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A stage that is not in the table is free."""

    prices: Mapping[str, Price] = field(default_factory=lambda: DEFAULT_PRICES)

    @classmethod
    def over_default(cls, prices: Mapping[str, Price], known: Iterable[str] | None = None) -> "PriceTable":
        """The built-in table with these in its place, as the settings have them.

        known: the stages that there are.  Raises: ConfigurationError for one that there is not: its misspelt price
        would make a stage free.
        """
        stages = list(prices if known is None else known)
        for stage_id in prices:
            if stage_id not in stages:
                hint = suggestion(stage_id, stages)
                raise ConfigurationError(f"TAMIS_PRICES: there is no stage {stage_id!r}{hint}")
        return cls({**DEFAULT_PRICES, **prices})

    def of(self, stage_id: str) -> Price:
        return self.prices.get(stage_id, FREE)
