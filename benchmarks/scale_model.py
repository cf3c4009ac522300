"""What an installation of any size takes, worked out from what one document and one execution were measured to cost.

    python -m benchmarks.scale_model [--documents 1e9] [--executions 1e4] [--quick]

Without sizes three installations stand side by side, up to a billion documents and 10,000 executions a second. Every
constant is in `scale_constants` with its source; `benchmarks.scale_measures` and the commands named there measure them
anew. The first table is arithmetic, and docs/scale.md shows it as it is printed. The second is a simulation: searches
come by chance (Poisson) and each asks every shard, one copy of it; each copy is one core that serves them in turn, for
a time drawn from a log-normal distribution as wide as measured; a search is answered when its last shard is. With
`second`, a copy that has not answered by its 95th percentile is given up for the other one's answer.

No such installation has been built here: these are figures to begin with, not measurements of one.
"""

import argparse
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale_constants import CONSTANTS

DAY_S = 86_400
_SIMULATED = 20_000
_QUICK = 2_000
_Z99 = 2.326
"""Standard deviations to the 99th percentile."""


def constant(name: str) -> float:
    return CONSTANTS[name].value


@dataclass(frozen=True)
class Workload:
    """documents: of one vector of 384 dimensions each.  executions: a second, each one search of all of them."""

    documents: float
    executions: float


SIZES = (Workload(1e6, 10), Workload(1e8, 1_000), Workload(1e9, 10_000))


def cores(cpu_s: float) -> int:
    """To spend so many CPU seconds a second."""
    return math.ceil(cpu_s / constant("busy"))


def shards(work: Workload) -> int:
    return max(1, math.ceil(work.documents / constant("shard_documents")))


def search_s(documents: float) -> float:
    """CPU for a search of one shard: a graph is walked in a time that grows by its logarithm."""
    measured_at = constant("search_measured_at")
    return constant("search_us") / 1e6 * math.log(max(documents, 2)) / math.log(measured_at)


def server_cores(work: Workload) -> int:
    redis_ms = constant("redis_calls") * constant("redis_ms")
    embedding_ms = constant("new_questions") * constant("query_embedding_ms")
    return cores(work.executions * (constant("server_ms") + redis_ms + embedding_ms) / 1e3)


def index_cores(work: Workload) -> int:
    """Every shard is asked by every search, whichever copy of it answers."""
    each = search_s(work.documents / shards(work))
    return max(cores(work.executions * shards(work) * each), int(shards(work) * constant("replicas")))


def index_memory_gb(work: Workload) -> float:
    return work.documents * constant("replicas") * (constant("code_bytes") + constant("link_bytes")) / 1e9


def index_nodes(work: Workload) -> int:
    return math.ceil(index_memory_gb(work) / (constant("node_memory_gb") * constant("node_memory_share")))


def index_disk_tb(work: Workload) -> float:
    return work.documents * constant("replicas") * constant("vector_bytes") / 1e12


def records_a_day(work: Workload) -> float:
    return work.executions * DAY_S


def record_cores(work: Workload) -> int:
    return cores(work.executions * constant("record_us") / 1e6)


def database_limit() -> float:
    """Executions a second whose records are all that the largest database does."""
    return constant("database_cores") * constant("busy") / (constant("record_us") / 1e6)


def counter_limit() -> float:
    """Executions a second of one retriever: each commit holds its minute's counter until it is on disk."""
    return 1e3 / (constant("flush_ms") + constant("record_us") / 1e3)


def hot_records_tb(work: Workload) -> float:
    return records_a_day(work) * constant("hot_days") * constant("record_bytes") / 1e12


def old_records_tb(work: Workload) -> float:
    """Of a year, as columns."""
    return records_a_day(work) * 365 * constant("record_parquet_bytes") / 1e12


def documents_tb(work: Workload) -> float:
    return work.documents * constant("document_bytes") / 1e12


def extraction_cores(work: Workload) -> int:
    a_second = work.documents / (constant("ingestion_days") * DAY_S)
    return cores(a_second * (constant("extraction_ms") / 1e3 + constant("document_us") / 1e6))


ROWS: Mapping[str, Callable[[Workload], str]] = {
    "cores that serve (HTTP, plan, record, new questions' vectors)": lambda work: f"{server_cores(work):,}",
    "shards of the index, each twice": lambda work: f"{shards(work):,}",
    "cores of the index": lambda work: f"{index_cores(work):,}",
    "memory of the index": lambda work: f"{index_memory_gb(work):,.1f} GB",
    "nodes of the index, by memory": lambda work: f"{index_nodes(work):,}",
    "disk of the index": lambda work: f"{index_disk_tb(work):,.3f} TB",
    "records a day": lambda work: f"{records_a_day(work) / 1e6:,.1f} million",
    "cores of the database for records": lambda work: f"{record_cores(work):,}",
    "log of the database": lambda work: f"{work.executions * constant('record_wal_bytes') / 1e6:,.2f} MB/s",
    "records in the database, 7 days": lambda work: f"{hot_records_tb(work):,.3f} TB",
    "records of a year, as columns": lambda work: f"{old_records_tb(work):,.3f} TB",
    "documents in the database": lambda work: f"{documents_tb(work):,.3f} TB",
    "cores that extract, for 30 days": lambda work: f"{extraction_cores(work):,}",
    "answers sent": lambda work: f"{work.executions * constant('answer_bytes') * 8 / 1e9:,.3f} Gbit/s",
}


def table(sizes: Sequence[Workload]) -> str:
    head = " | ".join(f"{size.documents:,.0f} documents, {size.executions:,.0f}/s" for size in sizes)
    lines = [f"| | {head} |", f"| --- |{' ---: |' * len(sizes)}"]
    lines += [f"| {name} | {' | '.join(row(size) for size in sizes)} |" for name, row in ROWS.items()]
    return "\n".join(lines)


def constants_table() -> str:
    lines = ["| constant | value | | from |", "| --- | ---: | --- | --- |"]
    for name, one in CONSTANTS.items():
        origin = one.source if one.is_measured else f"assumed: {one.source}"
        lines.append(f"| `{name}` | {one.value:,g} | {one.meaning} | {origin} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Answered:
    """Milliseconds of a whole search of the index: its last shard's."""

    p50_ms: float
    p99_ms: float


def simulate(work: Workload, number: int, copies: int, second: bool = False, seed: int = 0) -> Answered:
    """copies: of each shard, each one core.  second: ask another copy where one is late."""
    chance = np.random.default_rng(seed)
    arrivals = np.cumsum(chance.exponential(1 / work.executions, number))
    mean = search_s(work.documents / shards(work))
    last = np.zeros(number)
    for _ in range(shards(work)):
        took = _one_shard(chance, arrivals, mean, copies)
        if second:
            late = float(np.quantile(took, 0.95))
            took = np.minimum(took, late + _one_shard(chance, arrivals, mean, copies))
        last = np.maximum(last, took)
    return Answered(float(np.quantile(last, 0.5)) * 1e3, float(np.quantile(last, 0.99)) * 1e3)


def _one_shard(
    chance: np.random.Generator, arrivals: NDArray[np.float64], mean: float, copies: int
) -> NDArray[np.float64]:
    """Seconds from each arrival to its answer."""
    chosen = chance.integers(copies, size=len(arrivals))
    sigma = math.log(constant("search_p99_to_p50")) / _Z99
    serving = chance.lognormal(math.log(mean) - sigma**2 / 2, sigma, len(arrivals))
    took = np.zeros(len(arrivals))
    for copy in range(copies):
        mine = np.flatnonzero(chosen == copy)
        took[mine] = _in_turn(arrivals[mine], serving[mine])
    return took


def _in_turn(arrivals: NDArray[np.float64], serving: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of one server that takes them in turn (Lindley): when each has been served, after it came."""
    if not len(arrivals):
        return arrivals
    served = np.cumsum(serving)
    # A server is free at the latest of all moments since which it has never been idle.
    begun = np.maximum.accumulate(arrivals - (served - serving))
    ended: NDArray[np.float64] = served + begun
    waited: NDArray[np.float64] = ended - arrivals
    return waited


def simulation_table(sizes: Sequence[Workload], number: int) -> str:
    lines = [
        "| | shards x copies | search of the index, p50 | p99 | p99, with a second copy asked |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for size in sizes:
        copies = max(int(constant("replicas")), math.ceil(index_cores(size) / shards(size)))
        plain, second = (simulate(size, number, copies, asked) for asked in (False, True))
        lines.append(
            f"| {size.documents:,.0f} documents, {size.executions:,.0f}/s | {shards(size)} x {copies} | "
            f"{plain.p50_ms:.2f} ms | {plain.p99_ms:.2f} ms | {second.p99_ms:.2f} ms |"
        )
    return "\n".join(lines)


def limits() -> str:
    return (
        f"One database of {constant('database_cores'):.0f} cores takes the records of {database_limit():,.0f} "
        f"executions a second and nothing else; one retriever's own come to {counter_limit():,.0f} a second, for each "
        "commit holds the counters of its minute."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=float)
    parser.add_argument("--executions", type=float)
    parser.add_argument("--quick", action="store_true", help="simulate a tenth of the searches")
    given = parser.parse_args()
    sizes: Sequence[Workload] = SIZES
    if given.documents or given.executions:
        sizes = (Workload(given.documents or 1e6, given.executions or 10),)
        if min(sizes[0].documents, sizes[0].executions) <= 0:
            parser.error("--documents and --executions: more than 0")
    print(table(sizes), limits(), constants_table(), sep="\n\n")
    print("", simulation_table(sizes, _QUICK if given.quick else _SIMULATED), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
