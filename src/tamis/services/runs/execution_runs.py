"""What an execution is asked for, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tamis.engine.events import StageEnd
from tamis.engine.planning.plan import Plan
from tamis.engine.planning.rewrites import Rewrite
from tamis.model.canonical import sha1_of
from tamis.model.collection import Collection
from tamis.model.execution import ANONYMOUS, PUBLIC, SAVED, ExecutionStatus
from tamis.model.filters import Filter
from tamis.model.hits import Hits
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Retriever
from tamis.model.rollout import Rollout
from tamis.model.vector import Vector
from tamis.services.runs.result_pages import PageMethod, PageRequest


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What comes with a request, whichever pipeline it runs.

    filters: the contract's LogicalOperator; documents that do not match are never candidates.
    collections: ids or names; empty leaves the choice to the pipeline.  budget: None takes the pipeline's.
    warnings: what reading the request already has to say.  most: documents that all pages show together.
    """

    inputs: Mapping[str, JSON] = field(default_factory=dict)
    filters: JSON = None
    collections: tuple[str, ...] = ()
    budget: Budget | None = None
    page: PageRequest = field(default_factory=lambda: PageRequest(PageMethod.CURSOR, None))
    skip_cache: bool = False
    return_vectors: bool = False
    warnings: tuple[str, ...] = ()
    most: int | None = None

    def asking(self, inputs: Mapping[str, JSON]) -> "RunOptions":
        """The same with other inputs."""
        return RunOptions(
            inputs, self.filters, self.collections, self.budget, self.page, self.skip_cache, self.return_vectors,
            self.warnings, self.most,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """A checked request: nothing that could be wrong before a run is left. accepted_ms: monotonic.

    rewrites: what became of the stages as they were sent.  rollout: whose shadow may follow.
    """

    principal: Principal
    plan: Plan
    collections: tuple[Collection, ...]
    inputs: dict[str, JSON]
    options: RunOptions
    accepted_ms: float
    retriever: Retriever | None = None
    rewrites: tuple[Rewrite, ...] = ()
    rollout: Rollout | None = None

    @property
    def mode(self) -> str:
        if self.principal.client is not None and self.principal.client.is_public:
            return PUBLIC
        return SAVED if self.retriever else ANONYMOUS

    @property
    def owner(self) -> str:
        """Whose executions these are: a cursor of one pipeline's series is of no use to another."""
        return self.retriever.retriever_id if self.retriever else ANONYMOUS

    @property
    def inputs_hash(self) -> str:
        return sha1_of(self.inputs)

    @property
    def reader(self) -> str:
        """Who turns the pages of a series. A ranking that was made for one who sees more, or less, is not another's."""
        return reader_of(self.mode, self.principal.narrowing)

    @property
    def fingerprint(self) -> str:
        """The same for the same key, pipeline (filters and collections are part of it), inputs and reader."""
        return sha1_of([self.principal.key_id, self.owner, self.plan.hash, self.inputs_hash, self.reader])


def reader_of(mode: str, narrowing: Filter | None) -> str:
    return mode if narrowing is None else f"{mode} {narrowing!r}"


class CacheState(StrEnum):
    """Whether a whole answer came from a cache. BYPASS: that was not wanted, or the pipeline's cannot be kept."""

    HIT = "HIT"
    MISS = "MISS"
    BYPASS = "BYPASS"


@dataclass(frozen=True, slots=True)
class AnswerCaching:
    """What a retriever's cache had to do with an answer. ttl_s: for how long it keeps one."""

    state: CacheState
    ttl_s: float


@dataclass(frozen=True, slots=True)
class Executed:
    """What both execute paths answer.

    stages: how each stage ended, in order.  vectors: by document id and feature, where they were asked for.
    cache: None where the pipeline has none.
    """

    execution_id: str
    status: ExecutionStatus
    documents: Hits
    pagination: Mapping[str, JSON]
    stages: tuple[StageEnd, ...]
    duration_ms: float
    credits_used: float
    budget: Budget
    warnings: tuple[str, ...] = ()
    retriever: Retriever | None = None
    vectors: Mapping[str, Mapping[str, Vector]] | None = None
    cache: AnswerCaching | None = None
