"""Which of the contract's operations a route is: what the scopes of a key may be limited to."""

import re
from functools import lru_cache

from tamis.model.principal import NamespaceOperation, Permission

_OPERATIONS = (
    (re.compile(r"POST .*/promote|DELETE /v1/retrievers/.*/cache"), NamespaceOperation.CREATE_RETRIEVER),
    (
        re.compile(
            r"POST .*/(submit|retry|trigger|enrich|apply-taxonomy|evaluations|generate-from-interactions)"
            r"|POST /v1/(inference\b.*|triggers/.*/execute|(clusters|alerts)/[^/]*/execute|taxonomies/execute/.*)"
        ),
        NamespaceOperation.EXECUTE_JOB,
    ),
    (
        re.compile(r"POST /v1/retrievers/(.*/)?(execute(/batch|/explain)?|replay|why|check|interactions(/batch)?)"),
        NamespaceOperation.EXECUTE_RETRIEVER,
    ),
    (
        re.compile(
            r"POST /v1/agents/sessions(/[^/]*/(messages|feedback|confirmations/[^/]*))?"
            r"|(PATCH|DELETE) /v1/agents/sessions/[^/]*"
        ),
        NamespaceOperation.EXECUTE_RETRIEVER,
    ),
    (re.compile(r"\S+ /v1/templates/retrievers\b.*"), NamespaceOperation.CREATE_RETRIEVER),
    (re.compile(r"\S+ /v1/templates/clusters\b.*"), NamespaceOperation.CREATE_CLUSTER),
    (re.compile(r"\S+ /v1/templates\b.*"), NamespaceOperation.MODIFY_INFRASTRUCTURE),
    (re.compile(r"POST .*/cancel|DELETE /v1/tasks/.*"), NamespaceOperation.CANCEL_JOB),
    (re.compile(r"POST /v1/clusters"), NamespaceOperation.CREATE_CLUSTER),
    (re.compile(r"DELETE /v1/clusters/[^/]*"), NamespaceOperation.DELETE_CLUSTER),
    (re.compile(r"\S+ /v1/clusters/.*"), NamespaceOperation.MODIFY_CLUSTER),
    (
        re.compile(r"\S+ .*/(documents|objects|uploads|batches|executions|datasets|evaluations|interactions)\b.*"),
        None,
    ),
    (re.compile(r"DELETE /v1/retrievers/.*"), NamespaceOperation.DELETE_RETRIEVER),
    (re.compile(r"\S+ /v1/retrievers\b.*"), NamespaceOperation.CREATE_RETRIEVER),
    (
        re.compile(r"\S+ /v1/(manifest|namespaces|buckets|collections|taxonomies|triggers|alerts)\b.*"),
        NamespaceOperation.MODIFY_INFRASTRUCTURE,
    ),
)
"""None: data, by what is done with it. What is none of these is data too."""
_DATA = {
    Permission.READ: NamespaceOperation.READ_DATA,
    Permission.WRITE: NamespaceOperation.WRITE_DATA,
    Permission.DELETE: NamespaceOperation.DELETE_DATA,
    Permission.ADMIN: NamespaceOperation.MANAGE_PERMISSIONS,
}
_ASKING = {NamespaceOperation.EXECUTE_RETRIEVER, NamespaceOperation.EXECUTE_JOB, NamespaceOperation.CANCEL_JOB}


@lru_cache(maxsize=1024)
def operation_of(method: str, path: str, permission: Permission) -> NamespaceOperation:
    """path: a route's, with its parameters in braces.  permission: what it needs."""
    asked = f"{method} {path}"
    found = next((operation for pattern, operation in _OPERATIONS if pattern.fullmatch(asked)), None)
    # To read how something is made is to read, whatever it is.
    is_read = permission is Permission.READ and found not in _ASKING
    return _DATA[permission] if found is None or is_read else found
