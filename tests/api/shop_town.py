"""A real system with a shop, for the tests of published retrievers."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from tamis.app import build_app
from tamis.settings import Settings
from tamis.wiring.system import System, open_system

KEY = "sk_publisher_0123456789abcdef0123456789"
PRICE = 0.25
GOODS: tuple[dict[str, Any], ...] = (
    {"title": "red shoes", "price": 90, "cost": 31, "maker": {"name": "Sole", "bank": "secret-iban"}, "shelf": "front"},
    {
        "title": "blue shoes",
        "price": 70,
        "cost": 22,
        "maker": {"name": "Sole", "bank": "secret-iban"},
        "shelf": "front",
    },
    {"title": "bread knife", "price": 20, "cost": 5, "maker": {"name": "Blade"}, "shelf": "back"},
)
DISPLAY: dict[str, Any] = {
    "title": "The shop",
    "description": "Everything there is",
    "inputs": [{"field_name": "word", "field_schema": {"type": "text"}, "label": "Search"}],
    "exposed_fields": ["title", "metadata.price", "maker.name"],
}
FINDING = {
    "stage_name": "find",
    "config": {
        "stage_id": "attribute_filter",
        "parameters": {"field": "title", "operator": "contains", "value": "{{INPUT.word}}"},
    },
}
SCHEMA = {"word": {"type": "text", "default": ""}, "limit": {"type": "integer", "default": 5}}


@dataclass
class Town:
    """One server. address: where the next visitor comes from."""

    system: System
    app: Any
    http: httpx.AsyncClient
    made: int = 0

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "X-Namespace": "default"}
        answer = await self.http.request(method, f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def retriever(self, *stages: Mapping[str, Any]) -> str:
        self.made += 1
        body = {
            "retriever_name": f"finder-{self.made}",
            "collection_identifiers": ["goods"],
            "stages": list(stages) or [FINDING],
            "input_schema": SCHEMA,
        }
        return str((await self.ask("POST", "retrievers", body))["retriever_id"])

    async def published(self, *stages: Mapping[str, Any], **more: Any) -> "Page":
        retriever = await self.retriever(*stages)
        name = more.pop("public_name", f"shop-{self.made}")
        body = {"public_name": name, "display_config": DISPLAY, **more}
        told = await self.ask("POST", f"retrievers/{retriever}/publish", body)
        return Page(self, name, told["public_api_key"], retriever)

    def visitor(self, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1234))
        return httpx.AsyncClient(transport=transport, base_url="http://tamis.test")


@dataclass
class Page:
    town: Town
    name: str
    key: str
    retriever_id: str

    async def search(
        self, word: str = "shoes", address: str = "198.51.100.7", headers: Mapping[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        given = {"X-Public-API-Key": self.key, **(headers or {})}
        asked = {"inputs": {"word": word}, **body}
        async with self.town.visitor(address) as http:
            return await http.post(f"/v1/public/retrievers/{self.name}/execute", json=asked, headers=given)

    async def found(self, word: str = "shoes", **more: Any) -> list[str]:
        answer = await self.search(word, **more)
        assert answer.status_code == 200, answer.text
        return [one["title"] for one in answer.json()["documents"]]

    async def get(self, path: str, **headers: str) -> httpx.Response:
        async with self.town.visitor("198.51.100.7") as http:
            return await http.get(f"/v1/public/retrievers/{self.name}/{path}", headers=headers)

    async def post(self, path: str, body: Any, address: str = "198.51.100.7", **headers: str) -> httpx.Response:
        async with self.town.visitor(address) as http:
            return await http.post(f"/v1/public/retrievers/{self.name}/{path}", json=body, headers=headers)

    async def change(self, **body: Any) -> Any:
        return await self.town.ask("PATCH", f"retrievers/{self.retriever_id}/publish", body)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    data_dir: Path = tmp_path_factory.mktemp("published") / "data"
    settings = Settings(
        data_dir=data_dir, root_key=KEY, prices={"attribute_filter": PRICE}, trusted_proxies="10.0.0.0/8",
        max_published=40, allowed_hosts="tamis.test",
        secrets=SecretStr('{"door": {"value": "open by a secret", "hosts": ["published"]},'
                          ' "other": {"value": "open elsewhere", "hosts": ["api.example.com"]}}'),
    )  # fmt: skip
    system = await open_system(settings)
    app = build_app(system)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tamis.test") as http:
            town = Town(system, app, http)
            await _furnish(town)
            yield town
    finally:
        await system.close()


async def _furnish(town: Town) -> None:
    schema = {"properties": {"title": {"type": "text"}}}
    await town.ask("POST", "buckets", {"bucket_name": "goods-in", "bucket_schema": schema})
    extractor = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}
    source = {"type": "bucket", "bucket_ids": ["goods-in"]}
    await town.ask(
        "POST", "collections", {"collection_name": "goods", "source": source, "feature_extractor": extractor}
    )
    for goods in GOODS:
        await town.ask("POST", "collections/goods/documents", goods)
