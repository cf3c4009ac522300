"""Nothing differs from the contract silently, and nothing of our own API changes unseen."""

import pytest

from tests.conformance.contract_table import PAGE, Report, build_report
from tests.conformance.served import GOLDEN, served_openapi, served_openapi_bytes
from tests.shared_data import shared


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report(shared("contract/api.json"), served_openapi())


def test_every_difference_has_a_reason(report: Report) -> None:
    assert [f"{one.where} | {one.what}" for one in report.unexplained()] == []


def test_every_reason_explains_something(report: Report) -> None:
    assert [(reason.where, reason.what) for reason in report.idle_reasons()] == []


def test_the_page_is_what_the_server_serves(report: Report) -> None:
    assert PAGE.read_text() == report.page(), "docs/contract.md is stale: run `make contract`"


def test_our_own_openapi_is_the_golden() -> None:
    assert GOLDEN.read_bytes() == served_openapi_bytes(), "docs/openapi.json is stale: run `make contract`"
