"""A secret's value goes to its host, and nowhere else."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from tamis.engine.ports.secrets import filled, secret_name
from tamis.errors import ConfigurationError, SecretRefusedError, ValidationError
from tamis.model.principal import Principal
from tamis.outside.secrets import SecretStore, secret_store

VALUE = 'sk-live/ä"+ 42'
SECRETS = {
    "api": {"value": VALUE, "hosts": ["api.example.com"]},
    "mine": {"value": "only-for-ns-1", "hosts": ["API.example.com."], "namespaces": ["ns_1"]},
}
ONE, TWO = Principal("org_1", "ns_1"), Principal("org_2", "ns_2")


@pytest.fixture
def store() -> SecretStore:
    return secret_store(SecretStr(json.dumps(SECRETS)), None)


def test_a_value_is_for_its_host(store: SecretStore) -> None:
    assert store.resolve(ONE, "api", "API.example.com.") == VALUE
    for host in ("example.com", "evil.api.example.com", "api.example.com.evil.net", ""):
        with pytest.raises(SecretRefusedError, match="not bound"):
            store.resolve(ONE, "api", host)


def test_another_namespaces_secret_does_not_exist(store: SecretStore) -> None:
    assert store.resolve(ONE, "mine", "api.example.com") == "only-for-ns-1"
    with pytest.raises(SecretRefusedError) as theirs:
        store.resolve(TWO, "mine", "api.example.com")
    with pytest.raises(SecretRefusedError) as nobodys:
        store.resolve(TWO, "none", "api.example.com")
    assert theirs.value.message == nobodys.value.message.replace("none", "mine")


def test_a_value_is_taken_out_in_every_spelling(store: SecretStore) -> None:
    spellings = [
        VALUE,
        quote(VALUE, safe=""),
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        base64.b64encode(VALUE.encode()).decode(),
    ]
    for spelling in spellings:
        assert store.redact(ONE, f"a {spelling} b") == "a [secret] b"
        assert store.redact_bytes(ONE, b"\xff" + spelling.encode() + b"\x00") == b"\xff[secret]\x00"
    assert VALUE not in repr(store)


def test_references() -> None:
    assert secret_name("api") == secret_name("{{ SECRET.api }}") == secret_name("{{SECRETS.api}}") == "api"
    with pytest.raises(ValidationError) as refused:
        secret_name("sk live 12345678")
    assert "12345678" not in str(refused.value)


def test_a_template_is_filled_for_one_host(store: SecretStore) -> None:
    assert filled("Token {{SECRET.api}}", store, ONE, "api.example.com") == f"Token {VALUE}"
    with pytest.raises(SecretRefusedError):
        filled("Token {{SECRET.api}}", store, ONE, "example.com")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json but hunter2hunter2", "TAMIS_SECRETS"),
        ('{"a": "hunter2hunter2"}', "TAMIS_SECRETS: a"),
        ('{"a": {"value": "hunter2", "hosts": ["x"]}}', "at least 8"),
        ('{"a": {"value": "hunter2hunter2", "hosts": []}}', "at least 1"),
        ('{"a": {"value": "hunter2hunter2", "host": "x"}}', "TAMIS_SECRETS: a"),
    ],
)
def test_a_wrong_setting_is_told_without_values(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        secret_store(SecretStr(text), None)
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_file_adds_secrets(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"filed": {"value": "from the file", "hosts": ["h"]}}))
    both = secret_store(SecretStr(json.dumps(SECRETS)), file)
    assert both.resolve(ONE, "filed", "h") == "from the file"
    file.write_text(json.dumps({"api": SECRETS["api"]}))
    with pytest.raises(ConfigurationError, match="both set 'api'"):
        secret_store(SecretStr(json.dumps(SECRETS)), file)
    with pytest.raises(ConfigurationError, match="TAMIS_SECRETS_FILE"):
        secret_store(None, tmp_path / "none.json")
