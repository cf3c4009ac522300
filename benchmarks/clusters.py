"""What clustering 100,000 vectors takes, algorithm by algorithm: time, and the most memory that the process had.

    python -m benchmarks.clusters [--quick]

Each job runs in the process that the server gives it to (`jobs/clustering_process.py`), on one core; the rows are drawn
around 50 centres on the unit sphere. Memory is the process's largest resident set, as the kernel counted it.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from tamis.engine.clustering.clustering_job import ROWS, Job, write_job
from tamis.jobs.clustering_process import clustered

CENTRES = 50
JOBS: dict[str, tuple[str, dict[str, object]]] = {
    "kmeans, 50": ("kmeans", {"n_clusters": CENTRES}),
    "kmeans, by silhouette": ("kmeans", {}),
    "minibatch_kmeans, 50": ("minibatch_kmeans", {"n_clusters": CENTRES}),
    "gaussian_mixture, 50": ("gaussian_mixture", {"n_components": CENTRES}),
    "hdbscan": ("hdbscan", {}),
    "dbscan": ("dbscan", {"eps": 0.2}),
    "agglomerative, 50": ("agglomerative", {"n_clusters": CENTRES}),
    "spectral, 50": ("spectral", {"n_clusters": CENTRES}),
    "optics": ("optics", {}),
    "mean_shift": ("mean_shift", {}),
}
_LIMIT_MB = 2_000


def drawn(count: int, dim: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(CENTRES, dim))
    rows = centres[rng.integers(CENTRES, size=count)] + rng.normal(scale=0.4, size=(count, dim))
    return rows.astype("<f4")


async def nothing() -> None:
    """It is always wanted."""


async def measure(rows: np.ndarray, algorithm: str, parameters: dict[str, object]) -> tuple[float, float, str]:
    """Seconds, the most MB of any process so far, and what was found."""
    with tempfile.TemporaryDirectory(prefix="tamis-clusters-") as folder:
        path = Path(folder)
        rows.tofile(path / ROWS)
        write_job(path, Job(len(rows), rows.shape[1], algorithm, parameters, 42))
        started = time.perf_counter()
        found = await clustered(path, nothing)
        took_s = time.perf_counter() - started
    most_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    silhouette = found.facts.quality.silhouette
    told = f"{len(found.centroids)} clusters on {found.facts.sampled}"
    return took_s, most_mb, told if silhouette is None else f"{told}, silhouette {silhouette:.3f}"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 rows of 64 numbers.")
    quick = parser.parse_args().quick
    rows = drawn(10_000, 64) if quick else drawn(100_000, 384)
    print(f"{len(rows)} x {rows.shape[1]}, {rows.nbytes / 2**20:.0f} MB")
    most_mb = 0.0
    for name, (algorithm, parameters) in JOBS.items():
        took_s, most_mb, told = await measure(rows, algorithm, parameters)
        print(f"{name:24} {took_s:7.1f} s   at most {most_mb:5.0f} MB   {told}", flush=True)
    print(f"within {_LIMIT_MB} MB" if most_mb <= _LIMIT_MB else f"MORE than {_LIMIT_MB} MB")


if __name__ == "__main__":
    asyncio.run(main())
