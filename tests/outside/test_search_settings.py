"""TAMIS_SEARCH_PROVIDERS: what is set up wrongly stops the server's start and says what would be right."""

import json
from typing import Any

import pytest

from tamis.errors import ConfigurationError
from tamis.outside.search.kept import Kept
from tamis.outside.secrets import secret_store
from tamis.settings import Settings
from tamis.wiring.search import web_search_of

SECRETS = {
    "exa": {"value": "0123456789", "hosts": ["api.exa.ai"]},
    "clear": {"value": "0123456789", "hosts": ["http://searx"]},
}


def set_up(providers: dict[str, Any]) -> None:
    settings = Settings(_env_file=None, search_providers=providers, secrets=json.dumps(SECRETS))
    web_search_of(settings, secret_store(settings.secrets, None))


@pytest.mark.parametrize(
    ("providers", "message"),
    [
        ({"exaa": {}}, "there is no protocol 'exaa'; did you mean 'exa'"),
        ({"mine": {"protocol": "bing"}}, "there is no protocol 'bing'"),
        ({"exa": {}}, "exa needs key"),
        ({"exa": {"key": "other"}}, "no secret 'other'"),
        ({"tavily": {"key": "exa"}}, "'exa' is not bound to the host 'api.tavily.com'"),
        ({"searxng": {}}, "searxng needs base_url"),
        ({"searxng": {"base_url": "http://user:pass@searx"}}, "no user name"),
        ({"searxng": {"base_url": "http://0x7f.1"}}, "no name of a host"),
        ({"searxng": {"base_url": "http://searx", "key": "exa"}}, "not bound to the host 'http://searx'"),
    ],
)
def test_what_is_set_up_wrongly(providers: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        set_up(providers)
    assert "0123456789" not in str(raised.value)


def test_what_is_set_up_well() -> None:
    set_up({
        "exa": {"key": "exa"},
        "team": {"protocol": "searxng", "base_url": "https://search.example.com/searx"},
        "searxng": {"base_url": "http://searx", "key": "clear"},
    })  # fmt: skip


def test_kept_answers_go_by_age_and_the_oldest_make_room() -> None:
    now = [0.0]
    kept = Kept[str](10.0, len, lambda: now[0])
    kept.put("a", "x")
    now[0] = 9.9
    assert kept.get("a") == "x"
    now[0] = 10.0
    assert kept.get("a") is None
    for number in range(20):
        kept.put(number, "y" * 1_000_000)
    assert [kept.get(number) is not None for number in range(20)] == [False] * 4 + [True] * 16
    kept.put("large", "z" * 3_000_000)
    assert kept.get("large") is None
    kept.put(19, "again")
    assert kept.get(19) == "again"
    never = Kept[str](0.0, len)
    never.put("a", "x")
    assert never.get("a") is None
