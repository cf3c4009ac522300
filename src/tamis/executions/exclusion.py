"""What a namespace's policy keeps out of its records.

`inputs`: the inputs, the line that sums them up, and what could be guessed from: their hash, the seed and the cache
keys that come from it. `documents`: what documents hold. What stages make of either, a record cannot tell apart, so it
goes with each of them: parameters after templating, fields that stages added, messages, what was answered from
outside. Ids, scores, counts, times, costs and the frozen definition stay; what a definition or a filter spells out is
part of the definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from tamis.executions.codec import Body, StageRow
from tamis.executions.columns import Ids, Ranking, Rows
from tamis.executions.record import PAGINATION
from tamis.model.execution import ExecutionHeader

INPUTS, DOCUMENTS = "inputs", "documents"
MESSAGE = "the namespace's policy keeps messages out of records"


def header_without(header: ExecutionHeader, left_out: Sequence[str]) -> ExecutionHeader:
    if header.error is not None:
        header = replace(header, error=MESSAGE)
    return replace(header, query_summary=None, inputs_hash=None) if INPUTS in left_out else header


def body_without(body: Body, left_out: Sequence[str]) -> Body:
    stages = [_stage(row, INPUTS in left_out) for row in body.stages]
    error: tuple[str, str, dict[str, Any]] | None = None if body.error is None else (body.error[0], MESSAGE, {})
    seed = 0 if INPUTS in left_out else body.seed
    return msgspec.structs.replace(
        body,
        ids=_nameless(body),
        seed=seed,
        stages=stages,
        warnings=_told(body.warnings),
        error=error,
        left_out=sorted(left_out),
        is_taped=False,
    )


def _stage(row: StageRow, without_inputs: bool) -> StageRow:
    """parameters: None reads as the definition's own, with its templates as they were written."""
    return msgspec.structs.replace(
        row,
        parameters=None,
        received=_bare(row.received),
        returned=_bare(row.returned),
        cache_key=None if without_inputs else row.cache_key,
        metadata=_figures(row.metadata),
        warnings=_told(row.warnings),
        error=None if row.error is None else MESSAGE,
        calls=[],
        shrunk={name: [_figure(each) for each in pair] for name, pair in row.shrunk.items() if isinstance(pair, list)},
    )


def _nameless(body: Body) -> Ids:
    """Rows that a stage made are named after what they group: they keep their places alone."""
    rankings = [ranking for row in body.stages for ranking in (row.received, row.returned) if ranking is not None]
    made = {ranking.rows[position] for ranking in rankings for position in ranking.made}
    if not made:
        return body.ids
    ids = Rows(body.ids).ids
    return Ids(texts=[f"row:{place}" if place in made else text for place, text in enumerate(ids)])


def _bare(ranking: Ranking | None) -> Ranking | None:
    return None if ranking is None else msgspec.structs.replace(ranking, extras={})


def _figures(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, and how the answer was paged."""
    return {name: value for name, value in metadata.items() if name == PAGINATION or _figure(value) is not None}


def _figure(value: Any) -> int | float | bool | None:
    return value if isinstance(value, int | float) else None


def _told(warnings: Sequence[str]) -> list[str]:
    """How many there were can be told."""
    return [MESSAGE] * len(warnings)
