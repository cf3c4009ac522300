"""The operator's secrets, from settings or a file, each bound to the hosts that it may go to."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from tamis.errors import ConfigurationError, SecretRefusedError
from tamis.model.principal import Principal

_SHORTEST = 8
"""Characters: a shorter value would be taken out of answers that have it by chance."""
_LARGEST_FILE = 1 << 20
_REDACTED = "[secret]"


class SecretEntry(BaseModel):
    """hosts: exact names, without port; as `http://name` where it may also go unencrypted.

    namespaces: ids; None lets every namespace use it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: SecretStr = Field(min_length=_SHORTEST)
    hosts: tuple[str, ...] = Field(min_length=1)
    namespaces: tuple[str, ...] | None = None

    def goes_to(self, host: str, in_clear: bool) -> bool:
        bound = {one.lower().rstrip(".") for one in self.hosts}
        name = host.lower().rstrip(".")
        return f"http://{name}" in bound or (not in_clear and name in bound)


_ENTRIES = TypeAdapter(dict[str, SecretEntry])


@dataclass(frozen=True, slots=True)
class SecretStore:
    """One `Secrets`. It never shows a value: not in its own `repr`, not in what it raises."""

    entries: Mapping[str, SecretEntry] = field(default_factory=dict, repr=False)

    def resolve(self, principal: Principal, name: str, host: str, in_clear: bool = False) -> str:
        entry = self.entries.get(name)
        if entry is None or (entry.namespaces is not None and principal.namespace_id not in entry.namespaces):
            raise SecretRefusedError(f"there is no secret {name!r} for this namespace; the operator sets TAMIS_SECRETS")
        if not entry.goes_to(host, in_clear):
            how = " over plain HTTP" if in_clear else ""
            raise SecretRefusedError(f"the secret {name!r} is not bound to the host {host!r}{how}")
        return entry.value.get_secret_value()

    def redact(self, principal: Principal, text: str) -> str:
        for form in self._forms():
            text = text.replace(form, _REDACTED)
        return text

    def redact_bytes(self, principal: Principal, body: bytes) -> bytes:
        for form in self._forms():
            body = body.replace(form.encode(), _REDACTED.encode())
        return body

    def _forms(self) -> Iterator[str]:
        """Every spelling that a remote may send a value back in, the longest first."""
        forms: set[str] = set()
        for entry in self.entries.values():
            value = entry.value.get_secret_value()
            plain = base64.b64encode(value.encode()).decode()
            forms |= {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], plain}
            forms |= {json.dumps(value, ensure_ascii=False)[1:-1], base64.urlsafe_b64encode(value.encode()).decode()}
        return iter(sorted(forms, key=lambda form: (-len(form), form)))


def secret_store(given: SecretStr | None, file: Path | None) -> SecretStore:
    """Of TAMIS_SECRETS and of the file, which may not set the same name. Raises: ConfigurationError, without values."""
    entries = _entries(given.get_secret_value(), "TAMIS_SECRETS") if given else {}
    if file is not None:
        more = _entries(_read(file), "TAMIS_SECRETS_FILE")
        twice = sorted(entries.keys() & more.keys())
        if twice:
            raise ConfigurationError(f"TAMIS_SECRETS and TAMIS_SECRETS_FILE both set {twice[0]!r}")
        entries |= more
    return SecretStore(entries)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise ConfigurationError(f"TAMIS_SECRETS_FILE: longer than {_LARGEST_FILE} bytes")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"TAMIS_SECRETS_FILE cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError("TAMIS_SECRETS_FILE is no UTF-8 text") from None


def _entries(text: str, setting: str) -> dict[str, SecretEntry]:
    try:
        return _ENTRIES.validate_json(text)
    except ValidationError as error:
        # Pydantic's own text repeats what it was given.
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{setting}: {where}: {first['msg']}") from None
