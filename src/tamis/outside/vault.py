"""What organisations keep as secrets, opened, in front of the operator's own."""

from collections.abc import Mapping, Sequence

from tamis.engine.ports.secrets import OpenedSecret
from tamis.errors import SecretRefusedError
from tamis.model.principal import Principal
from tamis.outside.secrets import SecretEntry, SecretStore


class Vault:
    """One `Secrets`. An organisation's secret goes before the operator's of the same name, and is nobody else's.

    It shows no value: not in its `repr`, not in what it raises.
    """

    def __init__(self, operators: SecretStore) -> None:
        self._operators = operators
        self._own: Mapping[str, SecretStore] = {}

    def hold(self, secrets: Sequence[OpenedSecret]) -> None:
        """These, and no longer those from before."""
        entries: dict[str, dict[str, SecretEntry]] = {}
        for one in secrets:
            entry = SecretEntry.model_construct(value=one.value, hosts=one.hosts, namespaces=one.namespaces)
            entries.setdefault(one.organization_id, {})[one.name] = entry
        self._own = {organization_id: SecretStore(own) for organization_id, own in entries.items()}

    def resolve(self, principal: Principal, name: str, host: str, in_clear: bool = False) -> str:
        own = self._own.get(principal.organization_id)
        if own is not None and name in own.entries:
            return own.resolve(principal, name, host, in_clear)
        if name not in self._operators.entries:
            raise SecretRefusedError(
                f"there is no secret {name!r}: an administrator sets it at /v1/organizations/secrets, or the operator "
                "by TAMIS_SECRETS"
            )
        return self._operators.resolve(principal, name, host, in_clear)

    def redact(self, principal: Principal, text: str) -> str:
        """Other organisations' values are let be: who could see them taken out could guess at them."""
        own = self._own.get(principal.organization_id)
        return self._operators.redact(principal, own.redact(principal, text) if own else text)

    def redact_bytes(self, principal: Principal, body: bytes) -> bytes:
        own = self._own.get(principal.organization_id)
        return self._operators.redact_bytes(principal, own.redact_bytes(principal, body) if own else body)
