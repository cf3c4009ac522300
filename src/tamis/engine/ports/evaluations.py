"""Evaluations and versions of retrievers, in the system of record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tamis.model.evaluation import Evaluation, EvaluationStatus, QueryRun
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.retriever import RetrieverVersion


@dataclass(frozen=True, slots=True)
class EvaluationQuery:
    """Of a retriever's evaluations, which. dataset: id or name; None takes all, as for the status."""

    retriever_id: str
    status: EvaluationStatus | None = None
    dataset: str | None = None
    limit: int = 20
    offset: int = 0


class Evaluations(Protocol):
    """Evaluations, and what became of each of their queries."""

    def insert(self, principal: Principal, evaluation: Evaluation) -> None: ...
    def get(self, principal: Principal, evaluation_id: str) -> Evaluation | None: ...
    def page(self, principal: Principal, query: EvaluationQuery) -> Page[Evaluation]:
        """Newest first."""
        ...

    def replace(self, principal: Principal, evaluation: Evaluation) -> None:
        """Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, evaluation_id: str) -> bool:
        """With its queries."""
        ...

    def unfinished(self) -> Sequence[tuple[Principal, Evaluation]]:
        """Of every tenant, those pending or in progress, oldest first: what a start goes on with."""
        ...

    def put_runs(self, principal: Principal, evaluation_id: str, runs: Sequence[QueryRun]) -> None:
        """Insert, or replace those of the same place."""
        ...

    def runs(
        self, principal: Principal, evaluation_id: str, limit: int | None = None, offset: int = 0
    ) -> Sequence[QueryRun]:
        """By their place. limit: None takes all."""
        ...

    def count_runs(self, principal: Principal, evaluation_id: str) -> int: ...


class RetrieverVersions(Protocol):
    """What each version of a retriever runs, as long as the retriever is there."""

    def put(self, principal: Principal, version: RetrieverVersion) -> None:
        """One that is there stays as it is: what a version runs never changes."""
        ...

    def get(self, principal: Principal, retriever_id: str, version: int) -> RetrieverVersion | None: ...
    def list(self, principal: Principal, retriever_id: str) -> Sequence[RetrieverVersion]:
        """Newest first."""
        ...

    def delete(self, principal: Principal, retriever_id: str) -> int: ...
