"""What a chunk of a batch adds to the figures of extraction."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from tamis.model.batch import BatchItem, ItemStatus
from tamis.model.collection import Collection
from tamis.model.durations import step_of
from tamis.model.figures import ExtractionFigures

_HOUR_S = 3600


def counted(
    collection: Collection, items: Sequence[BatchItem], took_us: Mapping[str, int], at: datetime
) -> list[ExtractionFigures]:
    """took_us: by source, of those that an extractor was asked for; the others were made of what was there."""
    by_outcome: defaultdict[str, list[BatchItem]] = defaultdict(list)
    for item in items:
        by_outcome[_outcome(item, took_us)].append(item)
    hour = int(at.timestamp()) // _HOUR_S
    return [_figures(collection, hour, outcome, found, took_us) for outcome, found in by_outcome.items()]


def _outcome(item: BatchItem, took_us: Mapping[str, int]) -> str:
    if item.status is ItemStatus.FAILED:
        return "failed"
    return "completed" if item.source_id in took_us else "reused"


def _figures(
    collection: Collection, hour: int, outcome: str, items: Sequence[BatchItem], took_us: Mapping[str, int]
) -> ExtractionFigures:
    # A source that could not even be loaded took no time of an extractor.
    took = [took_us.get(item.source_id, 0) for item in items] if outcome != "reused" else []
    extractor = collection.extractor
    documents = sum(item.documents for item in items) if outcome == "completed" else 0
    return ExtractionFigures(
        collection.collection_id, hour, extractor.name, extractor.version, outcome,
        len(items), sum(took), documents, Counter(map(step_of, took)),
    )  # fmt: skip
