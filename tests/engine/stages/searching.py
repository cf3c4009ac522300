"""Providers of search as small real servers that speak their protocols, set up as an operator would."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine.reach import Reach
from tamis.engine.stage import Context
from tamis.outside.secrets import secret_store
from tamis.settings import Settings
from tamis.wiring.search import web_search_of
from tests.engine.stages.shop import Shop
from tests.outside.server import Answer, Asked, Respond, Server, served

KEY = "sk-search-0123456789"
EXA = {
    "requestId": "r",
    "autopromptString": "here is how to sharpen a bread knife",
    "results": [
        {
            "id": "1", "url": "https://www.knives.example/sharpen", "title": "Sharpen a bread knife", "score": 0.62,
            "publishedDate": "2026-01-05T00:00:00.000Z", "author": "A. Smith", "text": "Use a ceramic rod. " * 3,
            "highlights": ["a ceramic rod"], "summary": "Use a rod.", "image": "https://knives.example/rod.png",
        },
        {"id": "2", "url": "https://other.example/rods", "title": "Rods", "score": 0.41, "text": None},
    ],
}  # fmt: skip


@dataclass
class Web:
    server: Server
    context: Context


def answering(value: Any, status: int = 200) -> Respond:
    return lambda _asked: Answer(json.dumps(value).encode(), status)


def settings_for(server: Server, providers: Mapping[str, Mapping[str, Any]], **more: Any) -> Settings:
    """All providers at this server, those that need a key with one."""
    given = {
        name: {"base_url": server.url, **({} if "searxng" in (name, one.get("protocol")) else {"key": "search"}), **one}
        for name, one in providers.items()
    }
    secrets = {"search": {"value": KEY, "hosts": ["http://127.0.0.1"]}}
    named = {"outside_networks": "127.0.0.0/8", "search_cache_s": 0, **more}
    return Settings(_env_file=None, secrets=json.dumps(secrets), search_providers=given, **named)


@asynccontextmanager
async def web(shop: Shop, respond: Respond, *providers: str, **more: Any) -> AsyncIterator[Web]:
    async with served(respond) as server:
        settings = settings_for(server, {name: {} for name in providers}, **more)
        reach = Reach(web_search=web_search_of(settings, secret_store(settings.secrets, None)))
        yield Web(server, replace(shop.context(1), reach=reach))


def json_of(asked: Asked) -> Any:
    return json.loads(asked.body)
