"""Secrets and keys are planted, used, and then looked for in everything that the server ever wrote or said."""

import base64
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.access_world import KEYS, ROOT_KEY, SECRET_KEY, Access, opened
from tests.e2e.two_tenants import LISTING, Caller, furnish
from tests.outside.server import Answer, Asked, Server, served

VALUE = "canary/value+of a secret="
OTHER = "canary-of-the-second-value"


class Heard(httpx.AsyncBaseTransport):
    """Keeps every answer."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.said: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self.said.append(f"{response.headers} {response.text}")
        return response


def _echo(asked: Asked) -> Answer:
    """A service that gives back what it was sent, in several spellings."""
    token = asked.headers.get("x-token", "")
    body = {"plain": token, "encoded": base64.b64encode(token.encode()).decode(), "all": asked.headers}
    return Answer(json.dumps(body).encode(), 500 if asked.path == "/fails" else 200, {"X-Echo": token})


def _call(server: Server, path: str, secret: str = "crm") -> list[dict[str, Any]]:
    parameters = {"url": f"{server.url}{path}", "headers": {"X-Token": f"{{{{SECRET.{secret}}}}}"}}
    return [LISTING, {"stage_name": "call", "config": {"stage_id": "api_call", "parameters": parameters}}]


async def _use(access: Access, server: Server) -> list[str]:
    """All that is done with secrets and keys; the keys' secrets."""
    caller = Caller(access.me.http, {"Authorization": f"Bearer {ROOT_KEY}"})
    await furnish(caller, access.system.worker.drain, "planted", "admin@localhost")
    secret = {"secret_name": "crm", "secret_value": VALUE, "hosts": ["http://127.0.0.1"]}
    await caller.ask("POST", "organizations/secrets", secret)
    ran = await caller.ask("POST", "retrievers/execute", {"stages": _call(server, "/answers")})
    assert server.asked[-1].headers["x-token"] == VALUE
    assert "[secret]" in json.dumps(ran["documents"])
    for stages in (_call(server, "/fails"), _call(server, "/answers", "unknown")):
        await caller.send("POST", "/v1/retrievers/execute", {"stages": stages})
    await caller.ask("GET", f"retrievers/executions/{ran['execution_id']}/trace?limit=100")
    await caller.ask("GET", f"retrievers/executions/{ran['execution_id']}/export")
    await caller.ask("PUT", "organizations/secrets/crm", {"secret_value": OTHER, "hosts": ["elsewhere.example.com"]})
    refused = await caller.send("POST", "/v1/retrievers/execute", {"stages": _call(server, "/answers")})
    assert "not bound to the host" in refused.text
    await caller.send("POST", "/v1/organizations/secrets", {**secret, "secret_name": "not a name"})
    await caller.send("POST", "/v1/organizations/secrets", {**secret, "hosts": 1})
    await caller.ask("GET", "organizations/audit/logs?limit=1000")
    made = await caller.ask("POST", KEYS, {"name": "planted"})
    turned = await caller.ask("POST", f"{KEYS}/planted/rotate?grace_s=60", {})
    keys = [made["key"], turned["key"]]
    for key in keys:
        await caller.http.get("/v1/organizations", headers={"Authorization": f"Bearer {key}"})
        await caller.http.get("/v1/organizations", headers={"Authorization": f"Bearer {key}x"})
    return keys


async def test_no_canary_is_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(_echo) as server:
        reach = {"outside_domains": "127.0.0.1", "outside_networks": "127.0.0.0/8", "outside_ports": str(server.port)}
        async with opened(tmp_path / "data", **reach) as access:
            heard = Heard(access.me.http._transport)
            access.me.http._transport = heard
            keys = await _use(access, server)
    canaries = [VALUE, OTHER, base64.b64encode(VALUE.encode()).decode(), json.dumps(VALUE)[1:-1], SECRET_KEY, ROOT_KEY]
    # Each key is told once, in the answer that makes it.
    told = [text for text in heard.said if any(key in text for key in keys)]
    assert len(told) == len(keys)
    quiet = [text for text in heard.said if text not in told]
    assert [each for each in [*canaries, *keys] if any(each in text for text in quiet)] == []
    assert [each for each in [*canaries, *keys] if each in caplog.text] == []
    assert _written(tmp_path, [*canaries, *keys]) == []


def _written(root: Path, canaries: list[str]) -> list[tuple[str, str]]:
    """In which files they stand."""
    files = [path for path in root.rglob("*") if path.is_file()]
    assert any(path.name == "tamis.sqlite3" for path in files)
    return [(path.name, each) for path in files for each in canaries if each.encode() in path.read_bytes()]


async def test_another_key_seals_anew_and_a_lost_one_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret = {"secret_name": "crm", "secret_value": VALUE, "hosts": ["api.example.com"]}
    async with opened(tmp_path / "data") as access:
        await access.me.ask("POST", "organizations/secrets", secret, 201)
        (before,) = await access.system.backends.metadata.read(lambda session: session.secrets.everyones())
        for _ in range(20):
            await access.me.ask("GET", "buckets/none", status=404)
    new = "n" * 40
    async with opened(tmp_path / "data", f"{new},{SECRET_KEY}") as access:
        counted = (await access.me.ask("GET", "organizations/usage"))["endpoints"]
        # Exact after a clean stop.
        assert [each["requests"] for each in counted if each["endpoint"] == "GET /v1/buckets/{bucket_identifier}"] == [
            20
        ]
        (after,) = await access.system.backends.metadata.read(lambda session: session.secrets.everyones())
        assert (after[1].key_mark, after[1].sealed) != (before[1].key_mark, before[1].sealed)
    async with opened(tmp_path / "data", new) as access:
        assert "another key" not in caplog.text
    async with opened(tmp_path / "data", None) as access:
        assert "'crm' was sealed with another key" in caplog.text
        refused = await access.me.ask("PUT", "organizations/secrets/crm", {"secret_value": OTHER}, 422)
        assert "TAMIS_SECRET_KEY" in refused["error"]["message"]
        assert (await access.me.ask("GET", "organizations/secrets"))["secrets"] == ["crm"]
