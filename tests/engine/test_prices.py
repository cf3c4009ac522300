import math

import pydantic
import pytest

from tamis.engine.spending.prices import DEFAULT_PRICES, Price, PriceTable
from tamis.engine.spending.spending import Usage
from tamis.errors import ConfigurationError
from tamis.settings import Settings
from tamis.wiring.prices import price_table


def test_a_price_adds_up() -> None:
    price = Price(per_run=1, per_document=0.1, per_call=2, per_1k_tokens=0.5)
    assert price.of(Usage(documents=10, calls=3, tokens=4000)) == pytest.approx(1 + 1 + 6 + 2)
    assert PriceTable().of("unpriced").of(Usage(10, 10, 10)) == 0


@pytest.mark.parametrize("value", [-0.01, math.nan, math.inf])
def test_a_price_is_a_finite_number_of_credits(value: float) -> None:
    with pytest.raises(ConfigurationError, match="per_call"):
        Price(per_call=value)


def test_both_forms_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_PRICES", '{"limit": 0.5, "feature_search": {"per_document": 0.001}}')
    table = price_table(Settings())
    assert table.of("limit") == Price(per_run=0.5)
    assert table.of("feature_search") == Price(per_document=0.001)
    monkeypatch.delenv("TAMIS_PRICES")
    assert price_table(Settings()).prices == DEFAULT_PRICES


@pytest.mark.parametrize("given", ['{"limit": -1}', '{"limit": {"per_run": -1}}', '{"limit": {"per_page": 1}}'])
def test_what_is_no_price_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("TAMIS_PRICES", given)
    with pytest.raises((ConfigurationError, pydantic.ValidationError)):
        price_table(Settings())


def test_a_misspelt_stage_does_not_become_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_PRICES", '{"feature_serch": 1}')
    with pytest.raises(ConfigurationError, match="did you mean 'feature_search'"):
        price_table(Settings())
