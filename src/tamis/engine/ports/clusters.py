"""What clusters found, run by run, in the system of record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tamis.model.cluster import ClusterRun, FoundCluster, Member
from tamis.model.page import Page
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """number: of one cluster; None takes all, those in none first."""

    run_id: str
    number: int | None = None
    limit: int = 100
    offset: int = 0


class ClusterRuns(Protocol):
    """Runs with what they found. Members stand by cluster, and in it nearest to the centroid first."""

    def insert(self, principal: Principal, run: ClusterRun) -> None: ...
    def get(self, principal: Principal, run_id: str) -> ClusterRun | None: ...
    def list(self, principal: Principal, cluster_id: str) -> Sequence[ClusterRun]:
        """Newest first."""
        ...

    def of_trigger(self, principal: Principal, trigger_id: str) -> Sequence[ClusterRun]:
        """Newest first."""
        ...

    def replace(self, principal: Principal, run: ClusterRun) -> None:
        """Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, run_id: str) -> bool:
        """With all that it found."""
        ...

    def unfinished(self) -> Sequence[tuple[Principal, ClusterRun]]:
        """Of every tenant, those pending or under way, oldest first: what a start goes on with."""
        ...

    def put_found(self, principal: Principal, run_id: str, found: Sequence[FoundCluster]) -> None: ...
    def found(self, principal: Principal, run_id: str) -> Sequence[FoundCluster]:
        """By number."""
        ...

    def put_members(self, principal: Principal, run_id: str, members: Sequence[Member]) -> None:
        """Insert, or replace those of the same document."""
        ...

    def clear(self, principal: Principal, run_id: str) -> None:
        """Take away what it found: it begins anew."""
        ...

    def members(self, principal: Principal, query: MemberQuery) -> Page[Member]: ...
    def members_of(self, principal: Principal, run_id: str, document_ids: Sequence[str]) -> Mapping[str, Member]:
        """By document id; documents that it did not look at are left out."""
        ...

    def numbers(self, principal: Principal, run_id: str) -> Mapping[str, int]:
        """Of every document in a cluster, which. Cost: all members."""
        ...
