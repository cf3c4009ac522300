"""Connections by the settings: which are taken, and that no error tells a password."""

import json
from pathlib import Path

import pytest

from tamis.errors import ConfigurationError
from tamis.outside.sql.postgres import PostgresDatabase
from tamis.outside.sql.sqlite import SqliteDatabase
from tamis.settings import Settings
from tamis.wiring.sql import databases_of


def settings(monkeypatch: pytest.MonkeyPatch, **connections: object) -> Settings:
    monkeypatch.setenv("TAMIS_SQL_CONNECTIONS", json.dumps(connections))
    return Settings(database_url="postgresql+psycopg://tamis:hidden@db/tamis")


def test_both_kinds_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(
        monkeypatch,
        file={"url": "sqlite:////data/stock.db", "tables": ["Stock"], "namespaces": ["ns_1"]},
        server={"url": "postgresql+psycopg://reader:hidden@db/shop", "max_rows": 5, "at_once": 2},
    )
    made = databases_of(given).connections
    assert made["file"].database == SqliteDatabase(Path("/data/stock.db"), given.data_dir, frozenset({"stock"}))
    assert made["file"].namespaces == ("ns_1",)
    assert made["server"].database == PostgresDatabase("postgresql://reader:hidden@db/shop")
    assert (made["server"].limits.max_rows, made["server"].at_once) == (5, 2)
    assert "hidden" not in repr(given.sql_connections)


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("mysql://reader:hidden@db/shop", {}, "is `sqlite:///"),
        ("sqlite://", {}, "is `sqlite:///"),
        ("sqlite:///:memory:", {}, "is `sqlite:///"),
        ("hidden", {}, "no URL of a database"),
        ("postgresql://reader:hidden@db/shop", {"tables": ["stock"]}, "grant the role"),
        ("postgresql://reader:hidden@db:5432/tamis", {}, "the server's own database"),
    ],
)
def test_others_are_refused(monkeypatch: pytest.MonkeyPatch, url: str, more: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        databases_of(settings(monkeypatch, stock={"url": url, **more}))
    assert "TAMIS_SQL_CONNECTIONS: stock" in str(caught.value)
    assert "hidden" not in str(caught.value)
