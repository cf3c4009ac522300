"""The process that clusters: one job, from the files in a folder to the files that `clustering_job` names.

It ends with the server, whose end of a pipe closes however that goes.
"""

import os
import sys
import threading
from pathlib import Path

import numpy as np

from tamis.engine.clustering.clustering import methods
from tamis.engine.clustering.clustering_job import (
    ROWS,
    Facts,
    Failure,
    Found,
    Job,
    method_for,
    read_job,
    write_failure,
    write_found,
)
from tamis.engine.clustering.large_partition import LargePartition, partition_all
from tamis.errors import TamisError

_NICENESS = 5


def main() -> None:
    folder = Path(sys.argv[1])
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    os.nice(_NICENESS)
    try:
        write_found(folder, work_out(folder, read_job(folder)))
    except TamisError as error:
        write_failure(folder, Failure(error.message))
    except MemoryError:
        write_failure(folder, Failure("there is not enough memory: take a smaller sample_size"))
    except ValueError as error:
        write_failure(folder, Failure(f"the algorithm refuses these vectors or parameters: {error}"))
    except Exception as error:  # told to the server, which is all that looks at this process
        write_failure(folder, Failure(f"{type(error).__name__}: {error}"))


def work_out(folder: Path, job: Job) -> Found:
    """Memory: the rows twice, and what the algorithm's sample takes. Raises: TamisError, ValueError."""
    rows = np.fromfile(folder / ROWS, dtype="<f4").reshape(job.count, job.dim)
    method = method_for(job)
    with methods().on_one_core():
        # Only now: it imports scikit-learn, whose absence `methods` tells of.
        from tamis.engine.clustering import clustering_findings as findings

        found = partition_all(rows, method, job.seed, job.sample_size)
        is_cosine = method.distance == "cosine"
        centres = findings.centres_of(found.rows, found.labels, job.centre, is_cosine=is_cosine)
        quality = findings.quality_of(found.rows, found.labels, method.distance, job.seed)
        places, told = findings.places_of(found.rows, job.projection, job.seed)
    words, codes = _reasons(found)
    facts = Facts(quality, found.sampled, words, (*found.notes, *told), found.silhouette)
    mean = found.rows.mean(axis=0, dtype=np.float64).astype(np.float32) if len(rows) else np.zeros(0, np.float32)
    return Found(
        found.labels.astype(np.int32),
        centres.distances,
        centres.centroids,
        places.astype(np.float32),
        mean,
        codes,
        facts,
    )


def _reasons(found: LargePartition) -> tuple[tuple[str, ...], "np.ndarray[tuple[int], np.dtype[np.int8]]"]:
    words = tuple(sorted(set(found.reasons.values())))
    codes = np.full(len(found.labels), -1, dtype=np.int8)
    for place, reason in found.reasons.items():
        codes[place] = words.index(reason)
    return words, codes


def _end_with_the_server() -> None:
    # Not through `sys.stdin`, whose lock the interpreter would wait for at its end.
    while os.read(0, 1):
        pass
    os._exit(1)
