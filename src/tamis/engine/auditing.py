"""An event of the audit log, as of now, for the caller whose request this is."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tamis.engine.caller import current_caller
from tamis.model.audit import SYSTEM, AuditEvent
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal


def event_of(
    principal: Principal, resource_type: str, resource_id: str, what: str, changes: Mapping[str, JSON]
) -> AuditEvent:
    """resource_type: the noun, as `published retriever`.  what: `created`, or an action that ends in `_updated`."""
    caller = current_caller()
    kind = resource_type.replace(" ", "_")
    return AuditEvent(
        audit_id=new_id("audit"),
        at=datetime.now(UTC),
        resource_type=kind,
        resource_id=resource_id,
        action=what if what.endswith("_updated") else f"{kind}_{what}",
        actor_id=principal.user_id or SYSTEM,
        actor_type="user" if principal.key_id else principal.user_id or SYSTEM,
        key_id=principal.key_id or None,
        namespace_id=principal.namespace_id or None,
        changes=changes,
        address=caller.address if caller else None,
        user_agent=caller.user_agent if caller else None,
        request_id=caller.request_id if caller else None,
    )
