"""What of a pipeline can be tried another way: fusions and weights, depths, reranking or none."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tamis.model.json import JSON
from tamis.model.retriever import Definition, StageSpec

_SHARES = (0.6, 0.5, 0.7, 0.4, 0.8, 0.3, 0.9, 0.2)
"""Of one search among several, likelier ones first."""
_DEPTHS = (50, 200)
_FUSIONS = ("dbsf", "rrf")
_RERANKERS = frozenset({"rerank", "maxsim_rerank", "mmr"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """changes: what is other than in the definition as it is, for a person."""

    changes: tuple[str, ...]
    definition: Definition


def candidates(definition: Definition, most: int) -> list[Candidate]:
    """The definition itself first, then others, likelier ones first, at most `most` together, none twice."""
    found = [Candidate((), definition)]
    for candidate in _others(definition):
        if len(found) >= most:
            break
        if all(candidate.definition != one.definition for one in found):
            found.append(candidate)
    return found


def _others(definition: Definition) -> Iterator[Candidate]:
    """One change at a time, then depths together with fusions."""
    places = range(len(definition.stages))
    fused = [one for place in places for one in _fusions(definition, place)]
    deeper = [one for place in places for one in _depths(definition, place)]
    yield from fused
    yield from deeper
    yield from (one for place in places for one in _without(definition, place))
    for one in deeper:
        for place in places:
            for both in _fusions(one.definition, place):
                yield Candidate((*both.changes, *one.changes), both.definition)


def _fusions(definition: Definition, place: int) -> Iterator[Candidate]:
    """Where several searches are fused: each fusion, each search with more and less of the whole."""
    stage = definition.stages[place]
    searches = stage.parameters.get("searches")
    if stage.stage_id != "feature_search" or not isinstance(searches, list) or len(searches) < 2:
        return
    if not all(isinstance(one, dict) for one in searches):
        return
    # With two searches, the second's share says all.
    leading = range(1, 2) if len(searches) == 2 else range(len(searches))
    for fusion in _FUSIONS:
        for share in _SHARES:
            for place_of_search in leading:
                weights = [round((1 - share) / (len(searches) - 1), 4)] * len(searches)
                weights[place_of_search] = share
                told = f"{stage.stage_name}: {fusion}, weights {', '.join(f'{one:g}' for one in weights)}"
                yield Candidate((told,), _with(definition, place, _weighted(stage, fusion, weights)))


def _weighted(stage: StageSpec, fusion: str, weights: list[float]) -> StageSpec:
    searches = stage.parameters["searches"]
    given = searches if isinstance(searches, list) else []
    weighed: list[JSON] = [
        {**one, "weight": weight} for one, weight in zip(given, weights, strict=True) if isinstance(one, dict)
    ]
    # What was to be learnt is what is being found out.
    kept = {name: value for name, value in stage.parameters.items() if name != "learning_config"}
    return replace(stage, parameters={**kept, "fusion": fusion, "searches": weighed})


def _depths(definition: Definition, place: int) -> Iterator[Candidate]:
    stage = definition.stages[place]
    searches = stage.parameters.get("searches")
    if stage.stage_id != "feature_search" or not isinstance(searches, list):
        return
    for depth in _DEPTHS:
        deeper: list[JSON] = [{**one, "top_k": depth} for one in searches if isinstance(one, dict)]
        if len(deeper) == len(searches):
            changed = replace(stage, parameters={**stage.parameters, "searches": deeper})
            yield Candidate((f"{stage.stage_name}: top_k {depth}",), _with(definition, place, changed))


def _without(definition: Definition, place: int) -> Iterator[Candidate]:
    """A reranker left out: it may cost more than it brings."""
    stage = definition.stages[place]
    if stage.stage_id in _RERANKERS and len(definition.stages) > 1:
        rest = tuple(one for n, one in enumerate(definition.stages) if n != place)
        yield Candidate((f"without {stage.stage_name}",), replace(definition, stages=rest))


def _with(definition: Definition, place: int, stage: StageSpec) -> Definition:
    stages = (*definition.stages[:place], stage, *definition.stages[place + 1 :])
    return replace(definition, stages=stages)
