"""What is learnt from executions: data sets, evaluations, and the worker that runs them."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata
from tamis.jobs.evaluating import EvaluationWorker
from tamis.services.learning.click_judgements import ClickJudgements
from tamis.services.learning.datasets import DatasetService
from tamis.services.learning.evaluations import EvaluationService
from tamis.services.records.analytics import AnalyticsService
from tamis.services.runs.executions import ExecutionService
from tamis.services.upkeep.older_figures import OlderFigures


def learning_of(metadata: Metadata, executions: ExecutionService, clock: Clock, locks: Locks) -> Sequence[Any]:
    worker = EvaluationWorker(metadata, executions, clock, locks)
    return (
        worker,
        DatasetService(metadata, clock),
        EvaluationService(metadata, clock, worker.wake),
        ClickJudgements(metadata, clock),
        AnalyticsService(metadata, clock),
        OlderFigures(metadata, clock, locks),
    )
