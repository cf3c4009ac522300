"""The record policies of namespaces, remembered so that an execution asks no storage for its own."""

import time

from tamis.engine.ports.metadata import Metadata
from tamis.model.namespace import RecordPolicy
from tamis.model.principal import Principal

_REMEMBER_S = 5.0


class RecordPolicies:
    """A change is known at once where it is made, and on other servers of the same database within 5 seconds."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._known: dict[tuple[str, str], tuple[RecordPolicy, float]] = {}

    async def of(self, principal: Principal) -> RecordPolicy:
        """The policy of the principal's namespace; one that is gone keeps everything, for nobody to see."""
        key = (principal.organization_id, principal.namespace_id)
        known = self._known.get(key)
        now = time.monotonic()
        if known is None or known[1] < now:
            found = await self._metadata.read_now(lambda session: session.namespaces.get(principal, key[1]))
            known = self._known[key] = (found.record_policy if found else RecordPolicy(), now + _REMEMBER_S)
        return known[0]

    def forget(self) -> None:
        """Call after any change of namespaces."""
        self._known.clear()
