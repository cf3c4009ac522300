"""An evaluation data set: queries, each with the documents that are relevant and those that wait to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tamis.model.canonical import sha1_of
from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Pooled:
    """A document to be judged. rank: the best that an execution gave it, from 1.  execution_id: that one."""

    document_id: str
    rank: int
    execution_id: str


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """relevance_scores: grades by document; who is in `relevant_documents` without one counts as relevant.

    pool: what executions returned for this query, best rank first; judged or not.
    """

    query_id: str
    query_input: Mapping[str, JSON]
    relevant_documents: tuple[str, ...] = ()
    relevance_scores: Mapping[str, int] | None = None
    pool: tuple[Pooled, ...] = ()

    def pooled(self, more: Sequence[Pooled]) -> "GroundTruth":
        """With these documents in the pool, each once, at its best rank."""
        best = {one.document_id: one for one in self.pool}
        for one in more:
            held = best.get(one.document_id)
            if held is None or (one.rank, one.execution_id) < (held.rank, held.execution_id):
                best[one.document_id] = one
        return replace(self, pool=tuple(sorted(best.values(), key=lambda one: (one.rank, one.document_id))))

    def judged(self, grades: Mapping[str, int | None]) -> "GroundTruth":
        """With these judgements in place of those of the same documents; None takes one back."""
        scores = {**dict.fromkeys(self.relevant_documents, 1), **(self.relevance_scores or {}), **grades}
        kept = {document: grade for document, grade in scores.items() if grade is not None}
        relevant = tuple(document for document, grade in kept.items() if grade > 0)
        return replace(self, relevant_documents=relevant, relevance_scores=kept)


@dataclass(frozen=True, slots=True)
class Dataset:
    """document_field: the path of the field by whose value judgements name documents; None where by their ids."""

    dataset_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    queries: tuple[GroundTruth, ...] = ()
    description: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    document_field: str | None = None

    def with_pool(self, query: GroundTruth, pool: Sequence[Pooled]) -> "Dataset":
        """With the query in it, once, and these documents in its pool. The same inputs are the same query."""
        held = self.asking(query.query_input)
        if held is None:
            return replace(self, queries=(*self.queries, query.pooled(pool)))
        merged = held.pooled(pool)
        return replace(self, queries=tuple(merged if one is held else one for one in self.queries))

    def asking(self, query_input: Mapping[str, JSON]) -> GroundTruth | None:
        """The query that has these inputs, by their canonical JSON."""
        wanted = sha1_of(dict(query_input))
        return next((one for one in self.queries if sha1_of(dict(one.query_input)) == wanted), None)
