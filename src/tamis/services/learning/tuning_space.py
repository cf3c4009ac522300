"""What of a pipeline can be tried another way: fusions, weights, passages and fields, depths, reranking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tamis.model.hybrid import BY_MEANING, BY_WORDS, HYBRID_FUSION
from tamis.model.json import JSON
from tamis.model.retriever import Definition, StageSpec
from tamis.services.learning.tuning_cuts import Cut, with_cuts

_SHARES = (0.6, 0.5, 0.7, 0.4, 0.8, 0.3, 0.9, 0.2)
"""Of one search among several, likelier ones first."""
_DEPTHS = (50, 200)
_RERANK_DEPTHS = (20, 50, 100)
_RERANKED = 100
"""Where a stage does not say."""
_FUSIONS = ("dbsf", "rrf")
_RERANKERS = frozenset({"rerank", "maxsim_rerank", "mmr"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """changes: what is other than in the definition as it is, for a person.

    is_default: what is used where nobody says otherwise, and so was known before any query of a data set.
    """

    changes: tuple[str, ...]
    definition: Definition
    is_default: bool = False


def candidates(definition: Definition, most: int, cuts: Sequence[Cut] = ()) -> list[Candidate]:
    """The definition itself first, then others, likelier ones first, at most `most` together, none twice.

    cuts: further collections that were made of the same objects.
    """
    found = [Candidate((), definition)]
    for candidate in _others(definition, cuts):
        if len(found) >= most:
            break
        if all(candidate.definition != one.definition for one in found):
            found.append(candidate)
    return found


def _others(definition: Definition, cuts: Sequence[Cut]) -> Iterator[Candidate]:
    """The default, then one change at a time, then depths together with fusions."""
    places = range(len(definition.stages))
    default = [*_default(definition)]
    yield from default
    for base in (*default, Candidate((), definition)):
        for told, changed in with_cuts(base.definition, cuts):
            yield Candidate((*base.changes, told), changed)
    fused = [one for place in places for one in _fusions(definition, place)]
    deeper = [one for place in places for one in _depths(definition, place)]
    yield from fused
    yield from deeper
    yield from (one for place in places for one in _rerank_depths(definition, place))
    yield from (one for place in places for one in _without(definition, place))
    for one in deeper:
        for place in places:
            for both in _fusions(one.definition, place):
                yield Candidate((*both.changes, *one.changes), both.definition)


def _default(definition: Definition) -> Iterator[Candidate]:
    """Every search by meaning and by words as the default hybrid is."""
    changed, told = definition, []
    for place, stage in enumerate(definition.stages):
        searches = stage.parameters.get("searches") if stage.stage_id == "feature_search" else None
        given = searches if isinstance(searches, list) else []
        kinds = [one.get("lexical") is True for one in given if isinstance(one, dict)]
        if len(given) == 2 and sorted(kinds) == [False, True]:
            weights = [BY_WORDS if is_lexical else BY_MEANING for is_lexical in kinds]
            changed = _with(changed, place, _weighted(stage, HYBRID_FUSION, weights))
            told.append(f"{stage.stage_name}: the default hybrid, {HYBRID_FUSION}, weights {_list(weights)}")
    if told:
        yield Candidate(tuple(told), changed, is_default=True)


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
                told = f"{stage.stage_name}: {fusion}, weights {_list(weights)}"
                yield Candidate((told,), _with(definition, place, _weighted(stage, fusion, weights)))


def _list(weights: list[float]) -> str:
    return ", ".join(f"{one:g}" for one in weights)


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


def _rerank_depths(definition: Definition, place: int) -> Iterator[Candidate]:
    """How many of the first a model reads again: each costs time."""
    stage = definition.stages[place]
    if stage.stage_id != "rerank":
        return
    for depth in _RERANK_DEPTHS:
        if depth == stage.parameters.get("max_candidates", _RERANKED):
            continue
        changed = replace(stage, parameters={**stage.parameters, "max_candidates": depth})
        yield Candidate((f"{stage.stage_name}: max_candidates {depth}",), _with(definition, place, changed))


def _without(definition: Definition, place: int) -> Iterator[Candidate]:
    """A reranker left out: it may cost more than it brings."""
    stage = definition.stages[place]
    if stage.stage_id in _RERANKERS and len(definition.stages) > 1:
        rest = tuple(one for n, one in enumerate(definition.stages) if n != place)
        yield Candidate((f"without {stage.stage_name}",), replace(definition, stages=rest))


def _with(definition: Definition, place: int, stage: StageSpec) -> Definition:
    stages = (*definition.stages[:place], stage, *definition.stages[place + 1 :])
    return replace(definition, stages=stages)
