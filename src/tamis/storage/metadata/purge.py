"""A whole namespace removed at once."""

from sqlalchemy import bindparam, delete

from tamis.model.principal import Principal
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import metadata

# Children before parents, and every table that has a namespace: a table added later is purged without being named.
_PURGES = tuple(
    delete(table).where(
        table.c.organization_id == bindparam("organization_id"), table.c.namespace_id == bindparam("namespace_id")
    )
    for table in reversed(metadata.sorted_tables)
    if "namespace_id" in table.c
)


def purge_namespace(link: Link, principal: Principal) -> None:
    """Every row of the principal's namespace, of every kind, and the namespace itself."""
    for statement in _PURGES:
        link.run(statement, scope(principal))
