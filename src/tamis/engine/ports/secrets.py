"""Secrets that the operator or an organisation set, known to definitions by name alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from tamis.errors import ValidationError
from tamis.model.principal import Principal

REFERENCE = re.compile(r"\{\{\s*(?:SECRETS?|secrets?)\.([A-Za-z_][\w-]*)\s*\}\}")
"""How a text refers to a secret; the name is group 1."""
_NAME = re.compile(r"[A-Za-z_][\w-]*")


class Secrets(Protocol):
    def resolve(self, principal: Principal, name: str, host: str, in_clear: bool = False) -> str:
        """The value, for a request that goes to `host` and nowhere else. It is put into no record, log or error.

        in_clear: the request goes over plain HTTP, which the operator must have allowed for this host.

        Raises: SecretRefusedError: not there, not for this namespace, not bound to the host.
        """
        ...

    def redact(self, principal: Principal, text: str) -> str:
        """The text without the value of any secret that is the caller's, also where it stands quoted or in base64."""
        ...

    def redact_bytes(self, principal: Principal, body: bytes) -> bytes:
        """As `redact`, of what may be no text."""
        ...


@dataclass(frozen=True, slots=True)
class OpenedSecret:
    """A secret of an organisation. hosts, namespaces: as `StoredSecret` has them."""

    organization_id: str
    name: str
    value: SecretStr
    hosts: tuple[str, ...]
    namespaces: tuple[str, ...] | None


class HeldSecrets(Protocol):
    def hold(self, secrets: Sequence[OpenedSecret]) -> None:
        """These are there to be resolved, and no longer those from before."""
        ...


class Sealer(Protocol):
    """Seals values for rest. Each is bound to its organisation and name: moved elsewhere, it does not open."""

    @property
    def mark(self) -> str | None:
        """Tells which key seals; None where nothing can be sealed."""
        ...

    def seal(self, organization_id: str, name: str, value: str) -> str: ...
    def open(self, organization_id: str, name: str, sealed: str, mark: str) -> str:
        """Raises: SecretRefusedError where no key at hand opens it."""
        ...


def secret_name(reference: str) -> str:
    """The name in `name` or `{{SECRET.name}}`. Raises: ValidationError for anything else; it repeats no text."""
    match = REFERENCE.fullmatch(reference.strip())
    name = match[1] if match else reference
    if not _NAME.fullmatch(name):
        raise ValidationError("a secret is referred to by its name, or as {{SECRET.name}}; never by its value")
    return name


def filled(template: str, secrets: Secrets, principal: Principal, host: str, in_clear: bool = False) -> str:
    """A text with its references replaced by values. Raises: SecretRefusedError."""
    return REFERENCE.sub(lambda match: secrets.resolve(principal, match[1], host, in_clear), template)
