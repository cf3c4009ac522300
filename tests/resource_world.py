"""The resource routes over real storage, with real keys of two organisations, called in process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from tamis.api import buckets, discovery, health, namespaces, objects, organizations, resources, uploads
from tamis.api import keys as key_routes
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.engine.needs import Need
from tamis.engine.ports.metadata import Metadata
from tamis.engine.stages import STAGES
from tamis.model.ids import new_id
from tamis.model.namespace import Namespace
from tamis.model.organization import Organization, User
from tamis.model.principal import Permission, Principal
from tamis.services.access.idempotency import IdempotencyService
from tamis.services.access.keys import KeyDraft, KeyService
from tamis.services.access.organizations import OrganizationService
from tamis.services.access.versions import VersionService
from tamis.services.data.buckets import BucketService
from tamis.services.data.collections import CollectionService
from tamis.services.data.files import FileKeeping, FileSweeper
from tamis.services.data.namespaces import NamespaceService
from tamis.services.data.objects import ObjectService
from tamis.services.data.resource_search import ResourceSearch
from tamis.services.data.upload_links import UploadLinks
from tamis.services.data.uploads import UploadService
from tamis.services.runs.stage_catalogue import StageCatalogue
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.first_start import bootstrap
from tamis.services.upkeep.health import HealthService
from tamis.services.upkeep.indexing import Indexer
from tamis.storage.blobs import ObstoreBlobs, open_blobs
from tamis.testing.memory_index import MemoryIndex
from tamis.wiring.clock import SystemClock
from tests.blank import open_blank
from tests.extraction_world import NoModels, Shelf

ROUTERS = (health, discovery, key_routes, organizations, namespaces, uploads, objects, buckets, resources)
OTHER_EMAIL = "other@localhost"
SECRET = b"0123456789abcdef0123456789abcdef"
MAX_UPLOAD_BYTES = 1000


@dataclass
class Caller:
    """One key's requests. What comes back is checked for its status here, so that tests read as what they say."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def send(self, method: str, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        answer = await self.http.request(method, f"/v1{path}", json=body, params=query or None, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def post(self, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        return await self.send("POST", path, {} if body is None else body, status, **query)

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return await self.send("GET", path, None, status, **query)

    async def put(self, path: str, body: Any, status: int = 200) -> Any:
        return await self.send("PUT", path, body, status)

    async def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return await self.send("PATCH", path, body, status)

    async def delete(self, path: str, status: int = 200, **query: Any) -> Any:
        return await self.send("DELETE", path, None, status, **query)

    async def places(self, path: str, body: Any, method: str = "POST") -> list[list[str | int]]:
        """Where a payload that is refused with 422 is wrong."""
        answer = await self.send(method, path, body, 422)
        assert answer["success"] is False
        assert answer["error"]["type"] == "ValidationError"
        return [problem["loc"] for problem in answer["detail"]]


@dataclass
class Resources:
    """me and other: administrators of two organisations. reader: a key of mine that may only read."""

    http: httpx.AsyncClient
    me: Caller
    other: Caller
    reader: Caller
    metadata: Metadata
    blobs: ObstoreBlobs
    blob_root: Path
    index: MemoryIndex
    indexer: Indexer
    principal: Principal
    gate: Gate

    async def files(self) -> list[str]:
        """Every file of every tenant that is needed, by its path under the blob store's root."""
        await FileSweeper(self.metadata, self.blobs, FileKeeping(self.metadata, self.blobs)).sweep()
        return sorted(
            path.relative_to(self.blob_root).as_posix() for path in self.blob_root.rglob("*") if path.is_file()
        )

    def as_key(self, secret: str, namespace: str | None = None) -> Caller:
        headers = {"Authorization": f"Bearer {secret}"}
        return Caller(self.http, headers if namespace is None else {**headers, "X-Namespace": namespace})


@asynccontextmanager
async def open_resources(path: Path) -> AsyncIterator[Resources]:
    metadata = await open_blank(path / "tamis.sqlite3")
    blobs = open_blobs(path / "blobs", None)
    index = MemoryIndex()
    indexer = Indexer(metadata, index)
    gate = Gate(metadata)
    keys = KeyService(metadata, gate.forget)
    app = _app(metadata, blobs, index, indexer, gate, keys)
    mine = await bootstrap(metadata)
    assert mine is not None
    principal = await gate.enter(f"Bearer {mine.secret}", "default", Permission.ADMIN)
    reading = await keys.create(principal, KeyDraft("reader", (Permission.READ,)))
    theirs = await second_organization(metadata, keys)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tamis.test") as http:
        resources = Resources(
            http=http,
            me=Caller(http, {"Authorization": f"Bearer {mine.secret}", "X-Namespace": "default"}),
            other=Caller(http, {"Authorization": f"Bearer {theirs}"}),
            reader=Caller(http, {"Authorization": f"Bearer {reading.secret}", "X-Namespace": "default"}),
            metadata=metadata,
            blobs=blobs,
            blob_root=path / "blobs",
            index=index,
            indexer=indexer,
            principal=principal,
            gate=gate,
        )
        yield resources
    await indexer.close()
    await metadata.close()


def _app(
    metadata: Metadata, blobs: ObstoreBlobs, index: MemoryIndex, indexer: Indexer, gate: Gate, keys: KeyService
) -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router)
    shelf = Shelf()
    clearing = Clearing(metadata, indexer, blobs)
    object_service = ObjectService(metadata, clearing, FileKeeping(metadata, blobs))
    app.state.services = {
        Gate: gate,
        KeyService: keys,
        OrganizationService: OrganizationService(metadata),
        NamespaceService: NamespaceService(metadata, clearing, shelf, gate.forget),
        BucketService: BucketService(metadata, clearing),
        ObjectService: object_service,
        UploadService: UploadService(metadata, blobs, clearing, object_service, UploadLinks(SECRET), MAX_UPLOAD_BYTES),
        CollectionService: CollectionService(metadata, indexer, shelf, clearing),
        StageCatalogue: StageCatalogue(STAGES, {Need.DATABASES: "none"}),
        ResourceSearch: ResourceSearch(metadata),
        HealthService: HealthService(metadata, blobs, index, NoModels()),
        IdempotencyService: IdempotencyService(metadata, SystemClock()),
        VersionService: VersionService(metadata),
    }
    return app


async def second_organization(metadata: Metadata, keys: KeyService) -> str:
    """With one namespace, also named `default`; the secret of its administrator."""
    now = datetime.now(UTC)
    organization = Organization(new_id("org"), "Others", now, now)
    principal = Principal(organization.organization_id, permissions=frozenset({Permission.ADMIN}))
    user = User(new_id("usr"), organization.organization_id, OTHER_EMAIL, now)
    await metadata.write(lambda session: session.organizations.insert(organization, user))
    namespace = Namespace(new_id("ns"), "default", now, now)
    await metadata.write(lambda session: session.namespaces.insert(principal, namespace))
    return (await keys.create(principal, KeyDraft("admin", (Permission.ADMIN,)))).secret
