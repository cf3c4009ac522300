"""Who is asking, what of it they may see, and in which namespace. Every storage call takes one."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from tamis.model.filters import Condition, Filter, Operator, both
from tamis.model.json import JSON
from tamis.model.limits import RateLimits


class Permission(StrEnum):
    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    ADMIN = "admin"


class AccountTier(StrEnum):
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class NamespaceOperation(StrEnum):
    """What a scope may be limited to, as the contract names it."""

    READ_DATA = "read_data"
    WRITE_DATA = "write_data"
    DELETE_DATA = "delete_data"
    EXECUTE_RETRIEVER = "execute_retriever"
    CREATE_RETRIEVER = "create_retriever"
    DELETE_RETRIEVER = "delete_retriever"
    EXECUTE_JOB = "execute_job"
    CANCEL_JOB = "cancel_job"
    CREATE_CLUSTER = "create_cluster"
    DELETE_CLUSTER = "delete_cluster"
    MODIFY_CLUSTER = "modify_cluster"
    MODIFY_INFRASTRUCTURE = "modify_infrastructure"
    MANAGE_PERMISSIONS = "manage_permissions"


@dataclass(frozen=True, slots=True)
class Scope:
    """A namespace, or one retriever of it where `retriever_id` is given, or the documents of one collection.

    operations: the only ones that it is for; None for all that the permissions let.
    """

    namespace_id: str
    retriever_id: str = ""
    operations: frozenset[NamespaceOperation] | None = None
    collection_id: str = ""

    def is_of(self, namespace_id: str, retriever_id: str = "") -> bool:
        """Whether it is to this very namespace or retriever, for whatever operations."""
        return (self.namespace_id, self.retriever_id, self.collection_id) == (namespace_id, retriever_id, "")


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody without a key: who holds a client token, or visits a published retriever.

    visitor: by whom spending and requests are counted, unique in the organisation; empty counts the key's.
    may_send_pipelines: run pipelines sent whole.  is_public: a visitor.
    """

    visitor: str = ""
    credits_per_day: float | None = None
    requests_per_minute: int | None = None
    may_send_pipelines: bool = False
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `namespace_id` is empty where an operation is the organisation's own.

    scopes: what a key is limited to; none of them means the whole organisation.
    narrowing: what every search and every read of documents is AND-ed with.
    key_id, tier, rate_limit_override (requests a minute): whom limits count, and by which of them.
    client: set where no key's holder asks, but somebody whom he lets.
    rate_limits: the organisation's own, in place of its tier's.
    """

    organization_id: str
    namespace_id: str = ""
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    user_id: str = ""
    key_id: str = ""
    scopes: tuple[Scope, ...] = ()
    narrowing: Filter | None = None
    tier: AccountTier = AccountTier.ENTERPRISE
    rate_limit_override: int | None = None
    client: Client | None = None
    rate_limits: RateLimits | None = None

    def __hash__(self) -> int:
        """Of whom it tells apart: a filter may hold lists, and principals are keys on the way of every execution."""
        return hash((self.organization_id, self.namespace_id, self.key_id))

    def within(self, namespace_id: str) -> "Principal":
        return replace(self, namespace_id=namespace_id)

    def unscoped(self) -> "Principal":
        """For what a definition reaches that this caller may run: its owner wrote it, not the caller."""
        return replace(self, scopes=()) if self.scopes else self

    def doing(self, operation: NamespaceOperation | None) -> "Principal | None":
        """With those scopes alone that are for this operation; None where no scope is.

        operation: None for one that has no name, which a scope with operations is not for.
        """
        if all(scope.operations is None for scope in self.scopes):
            return self
        kept = tuple(one for one in self.scopes if one.operations is None or operation in one.operations)
        return replace(self, scopes=kept) if kept else None

    def may(self, permission: Permission) -> bool:
        return Permission.ADMIN in self.permissions or permission in self.permissions

    @property
    def sees_files(self) -> bool:
        """Whether a query may name stored files and objects: who has no key sees documents, and no more."""
        return self.narrowing is None and self.client is None

    @property
    def may_choose_collections(self) -> bool:
        """Whether a saved retriever runs over others than its own where this caller says so."""
        return self.client is None and self.sees_namespace(self.namespace_id)

    def sees_namespace(self, namespace_id: str) -> bool:
        """Whether everything in the namespace is within the scopes."""
        return not self.scopes or any(scope.is_of(namespace_id) for scope in self.scopes)

    def enters(self, namespace_id: str) -> bool:
        """Whether anything in the namespace is within the scopes."""
        return not self.scopes or any(scope.namespace_id == namespace_id for scope in self.scopes)

    def searching(self) -> "Principal":
        """For a search or a read of documents. A key to collections sees what is in them and nothing else, and is
        held to what a client token with that filter may.
        """
        inside = [one for one in self.scopes if one.collection_id and one.namespace_id == self.namespace_id]
        if self.sees_namespace(self.namespace_id) or not inside:
            return self
        seen: list[JSON] = [*sorted({one.collection_id for one in inside})]
        only = Condition("collection_id", Operator.IN, seen, True)
        return replace(
            self,
            scopes=(Scope(self.namespace_id),),
            narrowing=both(self.narrowing, only),
            client=Client(visitor=f"{self.key_id}:", may_send_pipelines=True),
        )

    def may_retriever(self, retriever_id: str) -> bool:
        """Whether this retriever of the principal's namespace, with its executions, is within the scopes."""
        return self.sees_namespace(self.namespace_id) or any(
            scope.is_of(self.namespace_id, retriever_id) for scope in self.scopes
        )
