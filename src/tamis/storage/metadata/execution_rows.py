"""An execution record as a row of its table."""

from hashlib import md5
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from tamis.errors import StorageError
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import scope
from tamis.storage.metadata.schema import executions

ANONYMOUS = ""
"""Whose executions those without a retriever are."""
HEADERS = Codec(ExecutionHeader)
INSERT = insert(executions).on_conflict_do_nothing()


def row_of(principal: Principal, execution: StoredExecution) -> dict[str, Any]:
    """What `INSERT` takes."""
    header = execution.header
    return {
        **scope(principal),
        "execution_id": header.execution_id,
        "retriever_id": header.retriever_id or ANONYMOUS,
        "status": header.status.value,
        "started_at": to_micros(header.started_at),
        "header": HEADERS.encode(header),
        "inputs": execution.inputs,
        "record": execution.record,
        "inputs_key": inputs_key(principal, header.inputs_hash),
    }


def readable(header: str) -> ExecutionHeader | None:
    """None where it is damaged, which must keep nobody from counting or deleting the others."""
    try:
        return HEADERS.decode(header)
    except StorageError:
        return None


def inputs_key(principal: Principal, inputs_hash: str | None) -> int | None:
    """What the index of inputs holds: 64 bits, of this tenant's alone."""
    if inputs_hash is None:
        return None
    text = f"{principal.organization_id} {principal.namespace_id} {inputs_hash}"
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:8], "big", signed=True)
