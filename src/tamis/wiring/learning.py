"""What is learnt from executions: data sets, evaluations, and the worker that runs them."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata
from tamis.jobs.evaluating import EvaluationWorker
from tamis.services.learning.click_judgements import ClickJudgements
from tamis.services.learning.datasets import DatasetService
from tamis.services.learning.evaluations import EvaluationService
from tamis.services.runs.executions import ExecutionService


def learning_of(metadata: Metadata, executions: ExecutionService, clock: Clock) -> Sequence[Any]:
    worker = EvaluationWorker(metadata, executions, clock)
    return (
        worker,
        DatasetService(metadata, clock),
        EvaluationService(metadata, clock, worker.wake),
        ClickJudgements(metadata, clock),
    )
