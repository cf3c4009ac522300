"""Two executions compared, on the wire."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Both(BaseModel, Generic[T]):
    """Of the first execution and of the other."""

    a: T
    b: T


class EnteredHit(BaseModel):
    """rank: from 1, on the side that has it."""

    document_id: str
    rank: int
    score: float


class MovedHit(BaseModel):
    document_id: str
    rank_a: int
    rank_b: int


class RescoredHit(BaseModel):
    """scores: those on the way that differ, by feature or stage; null where a side has none of the name."""

    document_id: str
    score_a: float
    score_b: float
    scores: dict[str, Both[float | None]]


class DiffTotals(BaseModel):
    entered: int
    left: int
    moved: int
    rescored: int
    altered: int


class StageDifference(BaseModel):
    """One stage of either pipeline.

    in_a, in_b: whether that pipeline has it.  place: where.  outcome: `not_run` where it did not get that far.
    received, returned: how many documents.
    entered, left, moved, rescored, altered: what turns a's documents out into b's, each list by the window; altered
    are ids whose added fields differ.  totals: all that there are.
    """

    stage_name: str
    in_a: bool
    in_b: bool
    identical: bool
    place: Both[int | None]
    stage_id: Both[str | None]
    outcome: Both[str | None]
    received: Both[int | None]
    returned: Both[int | None]
    entered: list[EnteredHit]
    left: list[EnteredHit]
    moved: list[MovedHit]
    rescored: list[RescoredHit]
    altered: list[str]
    totals: DiffTotals
    duration_ms: Both[float | None]
    credits: Both[float | None]
    cache: Both[bool | None]


DiffCause = Literal["definition", "inputs", "code", "data", "model", "outside", "cache", "nondeterminism"]


class DiffGround(BaseModel):
    cause: DiffCause
    says: str


class Divergence(BaseModel):
    """stage_index: its place in a, or in b where only that has it."""

    stage_index: int
    stage_name: str
    cause: DiffCause


class DiffResponse(BaseModel):
    """identical: the same stages ended alike, with the same documents, ranks, scores and added fields.

    cause: what explains the first divergence best, null where there is none.  explanation: everything that may.
    inputs_identical: whether both were asked the same; null where a record holds no inputs.
    """

    a: str
    b: str
    identical: bool
    cause: DiffCause | None
    explanation: list[DiffGround]
    first_divergence: Divergence | None
    inputs_identical: bool | None
    stages: list[StageDifference]
