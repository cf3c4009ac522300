"""What stages cost, in credits. The operator's table stands over this one."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Price:
    """Credits for each run of a stage, and for each document that enters it."""

    per_run: float = 0.0
    per_document: float = 0.0

    def of(self, documents: int) -> float:
        return self.per_run + self.per_document * documents


DEFAULT_PRICES: Mapping[str, Price] = {"feature_search": Price(per_run=0.01)}


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A stage that is not in the table is free."""

    prices: Mapping[str, Price] = field(default_factory=lambda: DEFAULT_PRICES)

    @classmethod
    def over_default(cls, per_run: Mapping[str, float]) -> "PriceTable":
        """The built-in table with these credits a run in their place, as the settings have them."""
        return cls({**DEFAULT_PRICES, **{stage_id: Price(credits) for stage_id, credits in per_run.items()}})

    def cost(self, stage_id: str, documents: int) -> float:
        price = self.prices.get(stage_id)
        return price.of(documents) if price else 0.0
