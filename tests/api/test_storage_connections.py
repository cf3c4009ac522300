"""Connections to storages of others over the whole application: an S3 server, and folders of this machine."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import obstore
import pytest
import pytest_asyncio

from tamis.errors import OutsideRefusedError
from tamis.model.principal import Principal
from tamis.model.storage_connection import StorageProvider
from tamis.services.access.storage_connections import ConnectionChange, StorageConnectionService
from tamis.wiring.system import open_system
from tests.servers import ObjectStore
from tests.storage_world import StorageWorld, asked, s3_config, s3_store, storage_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = "/organizations/connections"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, s3: ObjectStore) -> AsyncIterator[StorageWorld]:
    async with storage_world(tmp_path_factory.mktemp("storage"), s3.environment["AWS_ENDPOINT"]) as found:
        yield found


def _local(name: str, folder: Path | str) -> dict[str, Any]:
    return {"name": name, "provider_type": "local", "provider_config": {"folder": str(folder)}}


async def test_a_connection_to_s3_is_made_tried_shown_and_deleted(world: StorageWorld, s3: ObjectStore) -> None:
    body = {"name": "films", "provider_type": "s3", "provider_config": s3_config(s3), "metadata": {"team": 1}}
    made = await world.ask("POST", ALL, body)
    assert (made["status"], made["is_active"], made["metadata"]) == ("ACTIVE", True, {"team": 1})
    secret = s3.environment["AWS_SECRET_ACCESS_KEY"]
    for answer in (made, await world.ask("GET", f"{ALL}/films"), await world.ask("POST", f"{ALL}/list")):
        assert secret not in str(answer)
    assert made["provider_config"]["credentials"]["secret_access_key"] == "**********"
    assert secret.encode() not in (world.settings.data_dir / "tamis.sqlite3").read_bytes()
    found = await world.ask("POST", f"{ALL}/{made['connection_id']}/test")
    assert (found["success"], "accepted" in found["message"]) == (True, True)
    store = s3_store(s3)
    for key in ("seen/a.txt", "seen/b.txt", "seen/deep/c.txt"):
        await obstore.put_async(store, key, b"words")
    listed = await world.ask("GET", f"{ALL}/films/files?path={s3.bucket}/seen&max_results=1")
    assert ([one["name"] for one in listed["files"]], listed["has_more"]) == (["a.txt"], True)
    assert listed["files"][0]["mime_type"] == "text/plain"
    folders = await world.ask("GET", f"{ALL}/films/folders?path={s3.bucket}/seen")
    assert [one["id"] for one in folders["folders"]] == [f"{s3.bucket}/seen/deep"]
    assert "begins with a bucket" in await world.refused(f"{ALL}/films/files", method="GET")
    assert "has no 'nobodys-bucket'" in await world.refused(f"{ALL}/films/files?path=nobodys-bucket", method="GET")
    await world.ask("DELETE", f"{ALL}/films")
    await world.ask("GET", f"{ALL}/films", status=404)


async def test_wrong_credentials_are_told_before_anything_is_kept(world: StorageWorld, s3: ObjectStore) -> None:
    config = s3_config(s3, credentials={"access_key_id": "nobody", "secret_access_key": "wrong-secret"})
    body = {"name": "wrong", "provider_type": "s3", "provider_config": config}
    told = await world.refused(ALL, body)
    assert "refuses these credentials" in told
    assert "wrong-secret" not in told
    await world.ask("GET", f"{ALL}/wrong", status=404)
    await world.ask("POST", ALL, {**body, "test_before_save": False})
    found = await world.ask("POST", f"{ALL}/wrong/test")
    assert (found["success"], "refuses" in found["message"]) == (False, True)
    shown = await world.ask("GET", f"{ALL}/wrong")
    assert (shown["consecutive_failures"], shown["last_error"]) == (1, found["message"])
    await world.ask("PATCH", f"{ALL}/wrong", {"provider_config": s3_config(s3)})
    assert (await world.ask("POST", f"{ALL}/wrong/test"))["success"]
    shown = await world.ask("PATCH", f"{ALL}/wrong", {"name": "right", "is_active": False})
    assert (shown["name"], shown["status"]) == ("right", "SUSPENDED")
    assert "SUSPENDED" in await world.refused(f"{ALL}/right/files?path=tamis", status=409, method="GET")
    await world.ask("DELETE", f"{ALL}/right")


async def test_the_operators_own_credentials_are_never_sent(
    world: StorageWorld, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the operator's")
    right = {"name": "mine", "provider_type": "s3", "provider_config": s3_config(s3)}
    await world.ask("POST", ALL, right)  # a token that is not its own would spoil it
    await world.ask("DELETE", f"{ALL}/mine")
    wrong = s3_config(s3, credentials={"access_key_id": "nobody", "secret_access_key": "wrong"})
    assert "refuses" in await world.refused(ALL, {**right, "provider_config": wrong})


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"endpoint_url": "http://169.254.169.254", "use_ssl": False}, "TAMIS_OUTSIDE_DOMAINS"),
        ({"endpoint_url": "https://2130706433"}, "no name of a host"),
        ({"endpoint_url": "https://0x7f.1"}, "no name of a host"),
        ({"endpoint_url": "http://127.0.0.1:22", "use_ssl": False}, "TAMIS_OUTSIDE_PORTS"),
        ({"endpoint_url": "http://127.0.0.1", "use_ssl": True}, "goes unencrypted"),
        ({"endpoint_url": "file:///etc"}, "endpoint_url is a host"),
        ({"endpoint_url": "https://user@127.0.0.1"}, "endpoint_url is a host"),
        ({"endpoint_url": "https://127.0.0.1/latest?x=1"}, "endpoint_url is a host"),
        ({"endpoint_url": None}, "TAMIS_OUTSIDE_DOMAINS"),
        ({"endpoint_url": None, "region": "x@evil.example/"}, "provider_config.region"),
        ({"endpoint_url": "https://localhost"}, "TAMIS_OUTSIDE_DOMAINS"),
        ({"bucket": "x"}, "s3 takes"),
        ({"credentials": {"access_key_id": "x"}}, "secret_access_key"),
    ],
)
async def test_what_would_lead_elsewhere_is_refused(
    world: StorageWorld, s3: ObjectStore, config: dict[str, Any], told: str
) -> None:
    body = {"name": "elsewhere", "provider_type": "s3", "provider_config": s3_config(s3, **config)}
    assert told in await world.refused(ALL, body)


@pytest.mark.parametrize(
    ("provider", "config", "status", "told"),
    [
        ("gcs", {"credentials": {"private_key": "secret"}}, 422, "project_id"),
        ("gcs", {"credentials": {"gcs_base_url": "http://127.0.0.1"}}, 422, "credentials"),
        ("azure_blob", {"credentials": {"account_name": "a.b/", "account_key": "x"}}, 422, "account_name"),
        ("azure_blob", {"credentials": {"account_name": "films", "account_key": "x"}}, 422, "TAMIS_OUTSIDE_DOMAINS"),
        ("google_drive", {"credentials": {}}, 501, "rclone"),
        ("sharepoint", {"credentials": {}}, 501, "SharePoint"),
        ("snowflake", {"credentials": {}}, 501, "COPY INTO"),
        ("ftp", {}, 422, "provider_type"),
    ],
)
async def test_other_providers_say_what_they_lack(
    world: StorageWorld, provider: str, config: dict[str, Any], status: int, told: str
) -> None:
    body = {"name": "other", "provider_type": provider, "provider_config": config}
    assert told in await world.refused(ALL, body, status)


async def test_a_role_is_refused_with_the_reason(world: StorageWorld, s3: ObjectStore) -> None:
    role = {"type": "iam_role", "role_arn": "arn:aws:iam::123456789012:role/reader", "external_id": "mixpeek-org"}
    body = {"name": "role", "provider_type": "s3", "provider_config": s3_config(s3, credentials=role)}
    assert "access key" in await world.refused(ALL, body, 501)


async def test_a_folder_is_read_where_the_operator_allows_it(world: StorageWorld) -> None:
    (world.media / "walk" / "deep").mkdir(parents=True)
    (world.media / "walk" / "a.txt").write_text("words")
    (world.media / "outside.txt").write_text("beside")
    os.mkfifo(world.media / "walk" / "pipe")
    (world.media / "walk" / "link.txt").symlink_to(world.media / "outside.txt")
    (world.media / "walk" / "away").symlink_to(world.private)
    await world.ask("POST", ALL, _local("walk", world.media / "walk"))
    listed = await world.ask("GET", f"{ALL}/walk/files")
    assert [one["path"] for one in listed["files"]] == ["/a.txt"]
    folders = await world.ask("GET", f"{ALL}/walk/folders")
    assert [one["path"] for one in folders["folders"]] == ["/deep"]
    for path, told in (
        ("../", "is no path"), ("deep/../../outside.txt", "is no path"), ("away", "cannot be read"),
        ("%2e%2e/outside.txt", "is no path"), ("a%00b", "is no path"), ("/nowhere", "is not there"),
    ):  # fmt: skip
        assert told in await world.refused(f"{ALL}/walk/files?path={path}", method="GET"), path
    await world.ask("DELETE", f"{ALL}/walk")


async def test_folders_that_are_not_allowed_are_refused_alike(world: StorageWorld) -> None:
    link = world.media / "to-private"
    link.symlink_to(world.private)
    refused = [
        await world.refused(ALL, _local("no", folder))
        for folder in ("/etc", "/not/there", world.private, link, world.settings.data_dir, world.media.parent)
    ]
    assert all("TAMIS_CONNECTION_FOLDERS" in told for told in refused)
    for folder in ("media", f"{world.media}/../private", ""):
        assert "provider_config.folder" in await world.refused(ALL, _local("no", folder))
    private = _local("theirs", world.private)
    await asked(world.stranger, "POST", ALL, private)
    await asked(world.stranger, "DELETE", f"{ALL}/theirs")


async def test_the_servers_own_data_is_never_read(world: StorageWorld, tmp_path: Path) -> None:
    allowed = world.settings.model_copy(update={"data_dir": tmp_path / "data", "connection_folders": str(tmp_path)})
    system = await open_system(allowed)
    try:
        connections = system.services[StorageConnectionService]
        for folder in (tmp_path, tmp_path / "data", tmp_path / "data" / "blobs"):
            draft = ConnectionChange("own", config={"folder": str(folder)})
            with pytest.raises(OutsideRefusedError, match="this server itself"):
                await connections.create(Principal("org_x"), StorageProvider.LOCAL, draft)
    finally:
        await system.close()


async def test_a_stranger_sees_none_of_it(world: StorageWorld) -> None:
    made = await world.ask("POST", ALL, _local("ours", world.media))
    stranger = world.stranger
    assert (await asked(stranger, "POST", f"{ALL}/list"))["results"] == []
    for name in ("ours", made["connection_id"]):
        for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/files"), ("GET", "/folders")):
            await asked(stranger, method, f"{ALL}/{name}{rest}", status=404)
        await asked(stranger, "PATCH", f"{ALL}/{name}", {"name": "taken"}, 404)
    same = await asked(stranger, "POST", ALL, _local("ours", world.media))
    assert same["connection_id"] != made["connection_id"]
    assert "exists already" in await world.refused(ALL, _local("ours", world.media), 409)
    await world.ask("DELETE", f"{ALL}/ours")
    assert (await asked(stranger, "GET", f"{ALL}/ours"))["connection_id"] == same["connection_id"]
    await asked(stranger, "DELETE", f"{ALL}/ours")
