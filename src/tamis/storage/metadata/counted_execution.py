"""What an execution adds to the counters."""

from typing import NamedTuple

from tamis.model.durations import step_of
from tamis.model.execution import ExecutionHeader, mode_of
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.execution_rows import ANONYMOUS

_MILLION = 1_000_000


class CountedExecution(NamedTuple):
    """started_at: in microseconds.  sums: micro_credits, cacheable and cache_micros, as the table has them.

    mode: '' of one that is to be counted by its mode later: it has no sums and no step until then.
    """

    principal: Principal
    retriever_id: str
    status: str
    started_at: int
    mode: str = ""
    sums: tuple[int, int, int] = (0, 0, 0)
    step: int | None = None


def counted(principal: Principal, header: ExecutionHeader) -> CountedExecution:
    rate = header.cache_hit_rate
    return CountedExecution(
        principal,
        header.retriever_id or ANONYMOUS,
        header.status.value,
        to_micros(header.started_at),
        mode_of(header),
        (round(header.credits_used * _MILLION), 0 if rate is None else 1, round((rate or 0) * _MILLION)),
        step_of(max(0, round(header.duration_ms * 1000))),
    )


def uncounted(principal: Principal, header: ExecutionHeader) -> CountedExecution:
    """Not by its mode yet."""
    return CountedExecution(
        principal, header.retriever_id or ANONYMOUS, header.status.value, to_micros(header.started_at)
    )
