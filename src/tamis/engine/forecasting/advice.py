"""What an outlook suggests: where the time and the credits go, and what would do the same for less."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tamis.engine.forecasting.outlook import Basis, StageOutlook
from tamis.engine.planning.definition import SEARCH

_SHARE = 0.5
_SELECTIVE = 0.5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """kind: a stable word for programs.  text: for people."""

    kind: str
    stage_name: str
    text: str


def bottlenecks(outlooks: Sequence[StageOutlook]) -> list[str]:
    """Stages that take half of the time or of the credits, where there are several; in order."""
    if len(outlooks) < 2:
        return []
    ms, credits = sum(one.duration_ms for one in outlooks), sum(one.credits for one in outlooks)
    return [
        one.name
        for one in outlooks
        if (ms and one.duration_ms >= _SHARE * ms) or (credits and one.credits >= _SHARE * credits)
    ]


def suggestions(outlooks: Sequence[StageOutlook]) -> Iterator[Suggestion]:
    for earlier, later in pairwise(outlooks):
        if earlier.prospect.planned.spec.stage_id == SEARCH:
            yield from _after_search(earlier, later)
    written = sum(one.credits for one in outlooks)
    for one in outlooks:
        if one.shrunk or not one.is_reached:
            text = f"with max_credits of {written:g} or more the pipeline is likely to run to its end"
            yield Suggestion("raise_max_credits", one.name, text if not one.shrunk else f"{text}, with less taken away")
            return


def warnings(one: StageOutlook) -> Iterator[str]:
    """What the reader of an estimate should know."""
    if one.prospect.is_passed_over:
        yield "with these inputs its condition is false: it is passed over"
        return
    if "when" in one.prospect.planned.spec.options:
        yield "it runs only where its condition is true; this is what it does then"
    if not one.is_reached:
        yield "max_credits does not reach this stage"
    for name, change in one.shrunk.items():
        before, after = change if isinstance(change, list) else (None, change)
        yield f"max_credits is likely to lower {name} from {before} to {after}"
    counted = one.prospect.counted
    if counted is not None and counted.total and not counted.matching:
        yield "no document matches its filter; fields that stages add are not counted"
    if one.basis is not Basis.MEASURED:
        yield "it has not run here as it is written: how many it will give is the most that is known to be possible"


def _after_search(search: StageOutlook, later: StageOutlook) -> Iterator[Suggestion]:
    spec = later.prospect.planned.spec
    kept = later.efficiency
    if spec.stage_id == "attribute_filter" and later.prospect.counted is not None and kept < _SELECTIVE:
        text = (
            f"{later.name!r} is likely to keep {kept:.0%} of what {search.name!r} finds; as `filters` of the search it "
            "would fill the search's whole window with documents that match"
        )
        yield Suggestion("filter_in_search", later.name, text)
    if spec.stage_id == "limit" and search.returned > 2 * later.returned > 0:
        text = (
            f"{search.name!r} gives {search.returned:.0f} documents of which {later.name!r} keeps "
            f"{later.returned:.0f}; with final_top_k so low it would read only those"
        )
        yield Suggestion("lower_final_top_k", search.name, text)
