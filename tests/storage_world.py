"""A whole system with a folder and an S3 server that connections may read, and two organisations."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from obstore.store import S3Store

from tamis.app import build_app
from tamis.settings import Settings
from tamis.wiring.desk import open_desk
from tamis.wiring.system import System, open_system
from tests.servers import ObjectStore

KEY = "sk_storage_0123456789abcdef0123456789"
SECRET_KEY = "a-key-of-chance-for-tests-long-enough"


@dataclass
class StorageWorld:
    """media: the folder that everybody's connections may read; private: the one that the second organisation's may."""

    http: httpx.AsyncClient
    stranger: httpx.AsyncClient
    system: System
    settings: Settings
    media: Path
    private: Path

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        return await asked(self.http, method, path, body, status)

    async def refused(self, path: str, body: Any = None, status: int = 422, method: str = "POST") -> str:
        told = await self.ask(method, path, body, status)
        faults = [".".join(map(str, one["loc"])) + ": " + one["msg"] for one in told.get("detail") or []]
        return " | ".join(faults) or str(told["error"]["message"])


async def asked(http: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await http.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def s3_config(s3: ObjectStore, **more: Any) -> dict[str, Any]:
    environment = s3.environment
    credentials = {
        "access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    }
    endpoint = {"endpoint_url": environment["AWS_ENDPOINT"], "use_ssl": False}
    return {"credentials": credentials, "region": environment["AWS_REGION"], **endpoint, **more}


def s3_store(s3: ObjectStore) -> S3Store:
    environment = s3.environment
    return S3Store(
        s3.bucket,
        endpoint=environment["AWS_ENDPOINT"],
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region=environment["AWS_REGION"],
        client_options={"allow_http": True},
    )


@contextlib.asynccontextmanager
async def storage_world(root: Path, endpoint: str | None = None) -> AsyncIterator[StorageWorld]:
    """endpoint: of an object store on this machine that may be reached."""
    media, private = root / "media", root / "private"
    media.mkdir(parents=True)
    private.mkdir()
    port = urlsplit(endpoint).port if endpoint else None
    settings = Settings(
        data_dir=root / "data", root_key=KEY, secret_key=SECRET_KEY, connection_folders=str(media),
        outside_domains="127.0.0.1", outside_networks="127.0.0.1/32", outside_ports=f"80, 443, {port or 8333}",
    )  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        first = await open_system(settings)
        await first.close()
        async with open_desk(settings) as desk:
            other, created = await desk.add_organization("Others", "other@example.com")
        settings = settings.model_copy(update={"connection_folders": f"{media}, {other.organization_id}:{private}"})
        system = await open_system(settings)
        stack.push_async_callback(system.close)
        app = httpx.ASGITransport(build_app(system))
        clients = []
        for key in (KEY, created.secret):
            headers = {"Authorization": f"Bearer {key}"}
            client = httpx.AsyncClient(transport=app, base_url="http://localhost/v1", headers=headers)
            clients.append(await stack.enter_async_context(client))
        yield StorageWorld(clients[0], clients[1], system, settings, media, private)
