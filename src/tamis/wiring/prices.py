"""The price table that the settings ask for."""

from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stages import STAGES
from tamis.settings import Settings


def price_table(settings: Settings) -> PriceTable:
    """The built-in table with the settings' prices over it.

    Raises: ConfigurationError for a stage that there is not, and for what is negative or no finite number.
    """
    prices = {
        stage_id: Price(given) if isinstance(given, int | float) else Price(**given.model_dump())
        for stage_id, given in settings.prices.items()
    }
    return PriceTable.over_default(prices, STAGES)
