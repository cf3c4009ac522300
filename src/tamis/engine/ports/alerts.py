"""What alerts came to, in the system of record."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tamis.model.alert import Alert, AlertExecution
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal


class AlertExecutions(Protocol):
    """The newest of each alert."""

    def put(self, principal: Principal, alert: Alert, executions: Sequence[AlertExecution]) -> int:
        """Those that are not there yet, and tell of the ones that triggered; how many there were of these.

        What is there stays as it is and is not told again.
        """
        ...

    def done(self, principal: Principal, alert_id: str, cause: str, document_ids: Sequence[str]) -> frozenset[str]:
        """For which of the documents it has been executed."""
        ...

    def page(self, principal: Principal, alert_id: str | None, limit: int, offset: int) -> Page[AlertExecution]:
        """Newest first. alert_id: None takes all of the namespace."""
        ...

    def ended(self, principal: Principal, alert: Alert, told: Mapping[str, JSON], error: str | None) -> None:
        """Tell that a walk has come to its end, well or not."""
        ...

    def delete(self, principal: Principal, alert_id: str) -> int: ...
    def trim(self, principal: Principal, alert_id: str, kept: int) -> None:
        """Forget all but the newest."""
        ...
