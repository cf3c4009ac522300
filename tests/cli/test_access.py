"""Keys, users, secrets, organisations and the audit log by command, beside a running server."""

from collections.abc import Iterator

import httpx
import pytest

from tests import commands
from tests.live import LiveServer

SECRET_KEY = "c" * 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("access") / "data", TAMIS_SECRET_KEY=SECRET_KEY) as live:
        yield live


def tamis(server: LiveServer, *arguments: str, status: int = 0, given: str | None = None, **settings: str) -> str:
    sealing = {"TAMIS_SECRET_KEY": SECRET_KEY, "COLUMNS": "250", **settings}
    return commands.tamis(*arguments, server=server, status=status, given=given, **sealing)


def ask(server: LiveServer, path: str, key: str) -> httpx.Response:
    return httpx.get(f"{server.url}/v1/{path}", headers={"Authorization": f"Bearer {key}"}, timeout=30)


def test_a_key_is_made_limited_rotated_and_revoked(server: LiveServer) -> None:
    namespace = ask(server, "namespaces/default", server.key).json()["namespace_id"]
    key = tamis(server, "key", "create", "ci", "-p", "read", "--namespace", "default", "--expires", "1d").strip()
    assert ask(server, "buckets/none", key).status_code == 404
    assert ask(server, "organizations/users", key).status_code == 403
    listed = tamis(server, "key", "list")
    assert f"namespace {namespace}" in listed
    assert key not in listed
    turned = tamis(server, "key", "rotate", "ci", "--grace", "1h").strip()
    assert ask(server, "buckets/none", turned).status_code == 404
    tamis(server, "key", "revoke", "ci")
    assert ask(server, "buckets/none", tamis(server, "key", "create", "ci").strip()).status_code == 404
    assert "span" in tamis(server, "key", "create", "x", "--expires", "soon", status=1)
    assert "no namespace" in tamis(server, "key", "create", "x", "--namespace", "none", status=1)
    assert "was not found" in tamis(server, "key", "revoke", "none", status=1)


def test_users_are_made_changed_and_deleted(server: LiveServer) -> None:
    tamis(server, "user", "create", "ada@example.com", "--name", "Ada", "--role", "viewer")
    key = tamis(server, "key", "create", "adas", "--user", "ada@example.com").strip()
    assert ask(server, "organizations", key).status_code == 200
    assert "suspended" in tamis(server, "user", "change", "ada@example.com", "--status", "suspended")
    assert "ada@example.com" in tamis(server, "user", "list")
    tamis(server, "user", "delete", "ada@example.com")
    assert "last active administrator" in tamis(server, "user", "delete", "admin@localhost", status=1)


def test_a_secret_is_set_from_a_pipe_and_never_shown(server: LiveServer) -> None:
    shown = tamis(server, "secret", "set", "crm", "--host", "api.example.com", given="canary-by-command\n")
    shown += tamis(server, "secret", "list")
    assert "api.example.com" in shown
    assert ask(server, "organizations/secrets", server.key).json()["secrets"] == ["crm"]
    shown += tamis(server, "secret", "set", "crm", "--host", "b.example.com", given="canary-by-command-2\n")
    shown += tamis(server, "secret", "delete", "crm")
    assert "canary" not in shown
    assert "TAMIS_SECRET_KEY" in tamis(
        server, "secret", "set", "x", given="canary-value\n", status=1, TAMIS_SECRET_KEY=""
    )


def test_another_organisation_is_made_and_keeps_to_itself(server: LiveServer) -> None:
    shown = tamis(server, "organization", "create", "Team B", "--email", "bea@example.com")
    key = next(line for line in shown.splitlines() if line.startswith("sk_"))
    assert ask(server, "organizations", key).json()["organization_name"] == "Team B"
    assert ask(server, "namespaces/default", key).status_code == 404
    assert "Team B" in tamis(server, "organization", "list")
    tamis(server, "key", "create", "theirs", "--organization", "Team B")
    assert "theirs" not in tamis(server, "key", "list")
    assert "theirs" in tamis(server, "key", "list", "--organization", "Team B")


def test_the_audit_log_knows_the_operator(server: LiveServer) -> None:
    tamis(server, "key", "create", "noted")
    shown = tamis(server, "audit", "--type", "api_key", "--actor", "operator", "--since", "1h")
    assert "api_key_created" in shown
    assert '"after"' in shown
    assert "key_hash" not in shown
