"""Which of the contract's operations a route is: what the scopes of a key may be limited to."""

import re
from functools import lru_cache

from tamis.model.principal import Operation, Permission

_OPERATIONS = (
    (re.compile(r"POST .*/promote|DELETE /v1/retrievers/.*/cache"), Operation.CREATE_RETRIEVER),
    (
        re.compile(
            r"POST .*/(submit|retry|trigger|enrich|evaluations|generate-from-interactions)"
            r"|POST /v1/(inference\b.*|triggers/.*/execute)"
        ),
        Operation.EXECUTE_JOB,
    ),
    (
        re.compile(r"POST /v1/retrievers/(.*/)?(execute(/batch|/explain)?|replay|why|check|interactions(/batch)?)"),
        Operation.EXECUTE_RETRIEVER,
    ),
    (re.compile(r"POST .*/cancel|DELETE /v1/tasks/.*"), Operation.CANCEL_JOB),
    (
        re.compile(r"\S+ .*/(documents|objects|uploads|batches|executions|datasets|evaluations|interactions)\b.*"),
        None,
    ),
    (re.compile(r"DELETE /v1/retrievers/.*"), Operation.DELETE_RETRIEVER),
    (re.compile(r"\S+ /v1/retrievers\b.*"), Operation.CREATE_RETRIEVER),
    (re.compile(r"\S+ /v1/(namespaces|buckets|collections|triggers)\b.*"), Operation.MODIFY_INFRASTRUCTURE),
)
"""None: data, by what is done with it. What is none of these is data too."""
_DATA = {
    Permission.READ: Operation.READ_DATA,
    Permission.WRITE: Operation.WRITE_DATA,
    Permission.DELETE: Operation.DELETE_DATA,
    Permission.ADMIN: Operation.MANAGE_PERMISSIONS,
}
_ASKING = {Operation.EXECUTE_RETRIEVER, Operation.EXECUTE_JOB, Operation.CANCEL_JOB}


@lru_cache(maxsize=1024)
def operation_of(method: str, path: str, permission: Permission) -> Operation:
    """path: a route's, with its parameters in braces.  permission: what it needs."""
    asked = f"{method} {path}"
    found = next((operation for pattern, operation in _OPERATIONS if pattern.fullmatch(asked)), None)
    # To read how something is made is to read, whatever it is.
    is_read = permission is Permission.READ and found not in _ASKING
    return _DATA[permission] if found is None or is_read else found
