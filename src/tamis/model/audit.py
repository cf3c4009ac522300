"""What was changed in an organisation, by whom, and what it was before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.json import JSON

SYSTEM = "system"
OPERATOR = "operator"
"""Who acts by a command on the data directory, with no key."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """action: `<resource_type>_<what>`, as `bucket_created`.

    actor_type: `user`; `operator` for a command on the data directory; `system` for what Tamis does by itself.
    changes: `before` and `after`, of an update the fields that differ, of long lists the items; whole where there was
    nothing before or is nothing after. No secret, hash or password is in it.
    """

    audit_id: str
    at: datetime
    resource_type: str
    resource_id: str
    action: str
    actor_id: str
    actor_type: str = "user"
    key_id: str | None = None
    namespace_id: str | None = None
    changes: Mapping[str, JSON] = field(default_factory=dict)
    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    status: str = "success"


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which events; all of the conditions that are given. start and end are inside."""

    resource_type: str | None = None
    resource_id: str | None = None
    actor_id: str | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """reads: whether reading is noted too.  retention_days: None keeps events for ever."""

    reads: bool = False
    retention_days: int | None = None
