"""What is learnt from executions: data sets, evaluations, and the worker that runs them."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata
from tamis.jobs.evaluating import EvaluationWorker
from tamis.jobs.tuning import TuningWorker
from tamis.services.learning.click_judgements import ClickJudgements
from tamis.services.learning.datasets import DatasetService
from tamis.services.learning.evaluations import EvaluationService
from tamis.services.learning.learnt_fusions import LearntFusions
from tamis.services.learning.tuning import TuningService
from tamis.services.learning.tuning_runs import TuningRuns
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.retrievers import RetrieverService
from tamis.services.upkeep.older_figures import OlderFigures
from tamis.wiring.figures import figures_of


def learning_of(
    metadata: Metadata, index: VectorIndex, executions: ExecutionService, clock: Clock, locks: Locks
) -> Sequence[Any]:
    worker = EvaluationWorker(metadata, executions, clock, locks)
    return (
        worker,
        DatasetService(metadata, clock),
        EvaluationService(metadata, clock, worker.wake),
        ClickJudgements(metadata, clock),
        LearntFusions(metadata, clock),
        *figures_of(metadata, index, clock),
        OlderFigures(metadata, clock, locks),
    )


def tuning_of(
    metadata: Metadata, tuning: TuningService, retrievers: RetrieverService, clock: Clock, locks: Locks
) -> Sequence[Any]:
    worker = TuningWorker(metadata, tuning, retrievers, clock, locks)
    return worker, TuningRuns(metadata, tuning, clock, worker.wake)
