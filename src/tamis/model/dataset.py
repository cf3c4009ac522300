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
    inferred: documents whose judgement was worked out of interactions; who judges one takes it out of these.
    by_model: documents that a language model judged; who judges one, or clicks on it, takes it out of these.
    """

    query_id: str
    query_input: Mapping[str, JSON]
    relevant_documents: tuple[str, ...] = ()
    relevance_scores: Mapping[str, int] | None = None
    pool: tuple[Pooled, ...] = ()
    inferred: tuple[str, ...] = ()
    by_model: tuple[str, ...] = ()

    @property
    def by_people(self) -> dict[str, int]:
        """Grades that somebody gave; who is called relevant without a grade has 1."""
        return {document: grade for document, grade in self._grades.items() if document not in self._unsaid}

    @property
    def said(self) -> "GroundTruth":
        """The query with what people said of it alone."""
        unsaid = self._unsaid
        scores = {
            document: grade for document, grade in (self.relevance_scores or {}).items() if document not in unsaid
        }
        relevant = tuple(document for document in self.relevant_documents if document not in unsaid)
        return GroundTruth(self.query_id, self.query_input, relevant, scores or None)

    def restated(self, said: "GroundTruth") -> "GroundTruth":
        """With what people say now in place of what they said. What else is known stays where they say nothing."""
        named = {*said.by_people}
        inferred, by_model = (
            tuple(document for document in some if document not in named) for some in (self.inferred, self.by_model)
        )
        kept = {one: grade for one, grade in self._grades.items() if one in {*inferred, *by_model}}
        scores = {**(said.relevance_scores or {}), **kept}
        relevant = (*said.relevant_documents, *(one for one, grade in kept.items() if grade > 0))
        return replace(
            said,
            relevant_documents=relevant,
            relevance_scores=scores or None,
            pool=self.pool,
            inferred=inferred,
            by_model=by_model,
        )

    @property
    def _grades(self) -> dict[str, int]:
        return {**dict.fromkeys(self.relevant_documents, 1), **(self.relevance_scores or {})}

    @property
    def _unsaid(self) -> set[str]:
        return {*self.inferred, *self.by_model}

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
        scores = {**self._grades, **grades}
        kept = {document: grade for document, grade in scores.items() if grade is not None}
        relevant = tuple(document for document, grade in kept.items() if grade > 0)
        inferred, by_model = (
            tuple(document for document in some if document not in grades) for some in (self.inferred, self.by_model)
        )
        return replace(self, relevant_documents=relevant, relevance_scores=kept, inferred=inferred, by_model=by_model)

    def supposed(self, grades: Mapping[str, int]) -> "GroundTruth":
        """With judgements that were worked out: they stand for each other, never for what somebody judged."""
        judged = self.by_people
        mine = {document: grade for document, grade in grades.items() if document not in judged}
        after = self.judged({**dict.fromkeys(self.inferred), **mine})
        return replace(after, inferred=tuple(mine))

    def judged_by_model(self, grades: Mapping[str, int]) -> "GroundTruth":
        """With a language model's judgements: of what nobody else has judged, and nobody's clicks say anything of."""
        others = {*self._grades} - {*self.by_model}
        mine = {document: grade for document, grade in grades.items() if document not in others}
        after = self.judged(mine)
        return replace(after, by_model=(*after.by_model, *mine))


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
        return self.with_query((self.asking(query.query_input) or query).pooled(pool))

    def with_query(self, query: GroundTruth) -> "Dataset":
        """With the query in it, in the place of the one of its id."""
        if all(one.query_id != query.query_id for one in self.queries):
            return replace(self, queries=(*self.queries, query))
        return replace(self, queries=tuple(query if one.query_id == query.query_id else one for one in self.queries))

    def asking(self, query_input: Mapping[str, JSON]) -> GroundTruth | None:
        """The query that has these inputs, by their canonical JSON."""
        wanted = sha1_of(dict(query_input))
        return next((one for one in self.queries if sha1_of(dict(one.query_input)) == wanted), None)
