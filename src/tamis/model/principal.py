"""Who is asking, and in which namespace. Every storage call takes one."""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Permission(StrEnum):
    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `namespace_id` is empty where an operation is the organisation's own."""

    organization_id: str
    namespace_id: str = ""
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    user_id: str = ""
    key_id: str = ""

    def within(self, namespace_id: str) -> "Principal":
        return replace(self, namespace_id=namespace_id)

    def may(self, permission: Permission) -> bool:
        return Permission.ADMIN in self.permissions or permission in self.permissions
