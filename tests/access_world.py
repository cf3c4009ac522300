"""The whole application, called in process, with an administrator's key."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.types import ASGIApp

from tamis.app import build_app
from tamis.settings import Settings
from tamis.wiring.system import System, open_system
from tests.e2e.two_tenants import FOLDER

ROOT_KEY = "sk_root_0123456789abcdef0123456789ab"
SECRET_KEY = "b" * 44
ADMIN = "admin@localhost"
KEYS = f"organizations/users/{ADMIN}/api-keys"


@dataclass
class Caller:
    http: httpx.AsyncClient
    key: str
    namespace: str | None = None

    async def send(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        if self.namespace:
            headers["X-Namespace"] = self.namespace
        return await self.http.request(method, f"/v1/{path}", json=body, params=query or None, headers=headers)

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        answer = await self.send(method, path, body, **query)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def places(self, method: str, path: str, body: Any = None, **query: Any) -> list[list[str | int]]:
        """Where a request that is refused with 422 is wrong."""
        answer = await self.ask(method, path, body, 422, **query)
        return [problem["loc"] for problem in answer["detail"]]


@dataclass
class Access:
    system: System
    app: ASGIApp
    me: Caller

    async def key(self, name: str, email: str = ADMIN, **more: Any) -> Caller:
        made = await self.me.ask("POST", f"organizations/users/{email}/api-keys", {"name": name, **more})
        return Caller(self.me.http, made["key"])

    async def events(self, **query: Any) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = (await self.me.ask("GET", "organizations/audit/logs", **query))["results"]
        return found


@asynccontextmanager
async def opened(data_dir: Path, secret_key: str | None = SECRET_KEY, **settings: Any) -> AsyncIterator[Access]:
    sealed = SecretStr(secret_key) if secret_key else None
    system = await open_system(
        Settings(data_dir=data_dir, root_key=ROOT_KEY, secret_key=sealed, connection_folders=str(FOLDER), **settings)
    )
    app = build_app(system)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as http:
            yield Access(system, app, Caller(http, ROOT_KEY))
    finally:
        await system.close()
