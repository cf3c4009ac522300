"""The weights of one execution of a feature search with learned fusion, and what its record says of them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tamis.engine.learning.bandits import Drawn, combined, draw
from tamis.engine.learning.learning_parameters import FallbackStrategy, LearnedFusionConfig
from tamis.engine.ports.learning import Evidence, EvidenceQuery
from tamis.engine.stage import Context
from tamis.model.canonical import sha1_of
from tamis.model.json import JSON

FACTS = "learned_fusion"
"""In a stage's metadata: what was decided, and what interactions are credited by."""
EVERYONE = ""
_HASH_DIGITS = 20
_PERSON = "user_id"
_GROUP = "segment"
_CERTAIN = 2**32


@dataclass(frozen=True, slots=True)
class Contexts:
    """Whose weights these are, from everyone's to the finest, hashed. person: who asks; None where it is not told."""

    names: tuple[str, ...]
    levels: tuple[str, ...]
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Weighing:
    """weights: in the order of the searches.  facts: for the stage's statistics and record."""

    weights: tuple[float, ...]
    facts: Mapping[str, JSON] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def person_of(user_id: JSON) -> str:
    """A user as contexts name him."""
    return sha1_of([_PERSON, user_id])[:_HASH_DIGITS]


def contexts_of(config: LearnedFusionConfig, inputs: Mapping[str, JSON]) -> Contexts:
    """Of an execution. An input that was not given makes no context; the feature's names are part of its hash."""
    found = [("global", EVERYONE)]
    for level, features in (
        ("demographic", config.demographic_features or [_GROUP]),
        ("personal", config.context_features or [_PERSON]),
    ):
        values = {name: inputs[name] for name in features if inputs.get(name) is not None}
        if len(values) == len(features):
            found.append((level, f"{level}:{sha1_of(values)[:_HASH_DIGITS]}"))
    user = inputs.get(_PERSON)
    levels, names = zip(*found, strict=True)
    return Contexts(names, levels, None if user is None else person_of(user))


async def weighed(
    config: LearnedFusionConfig, searches: Sequence[str], own: Sequence[float], context: Context
) -> Weighing:
    """searches: their names, each once.  own: the weights as they are written, which the answer's add up to.

    Without a retriever, or without its evidence in time, they are the weights.
    """
    base = _base(config, searches, own)
    if context.retriever_id is None:
        return _as_written(searches, own, base, "only a saved retriever learns")
    if not any(base.values()):
        return _as_written(searches, own, base, "no search has a weight above 0")
    asked = contexts_of(config, context.inputs)
    query = EvidenceQuery(
        context.retriever_id, context.stage_name, asked.names, config.decay_factor, config.decay_window_days,
        config.circuit_breaker_timeout_ms,
    )  # fmt: skip
    known = await context.reach.learning.evidence(context.principal, query)
    if known is None:
        why = f"what was learnt could not be read within {config.circuit_breaker_timeout_ms} ms"
        found = _as_written(searches, own, base, why)
        return Weighing(found.weights, {FACTS: {**_crediting(asked, searches), **_facts_of(found)}}, (why,))
    return _decided(config, searches, own, base, asked, known, context)


def _decided(
    config: LearnedFusionConfig, searches: Sequence[str], own: Sequence[float], base: Mapping[str, float],
    asked: Contexts, known: Sequence[Evidence], context: Context,
) -> Weighing:  # fmt: skip
    level, evidence = _standing(config, asked, known)
    if not evidence.interactions:
        # Nothing is known, and nothing has to be tried: what is liked tells of every search, whatever its weight was.
        drawn = Drawn(_shares(base), {}, 0.0)
    else:
        drawn = draw(config.policy, base, evidence, _chance(context, evidence))
    used = not config.shadow_mode and _rolled_out(config, asked, context)
    total = sum(own) or 1.0
    share = drawn.weights if used else _shares(base)
    told: dict[str, JSON] = {
        **_crediting(asked, searches),
        "algorithm": config.algorithm.value,
        "level": level,
        "interactions": round(evidence.interactions, 3),
        "used": used,
        "exploration": round(drawn.exploration, 6),
        "weights": dict(share),
        "drawn": dict(drawn.weights),
        "agreement": dict(drawn.thetas),
    }
    return Weighing(tuple(share[one] * total for one in searches), {FACTS: told})


def recorded_weights(metadata: Mapping[str, JSON]) -> list[float]:
    """Of a stage that ran, in the order of its searches; [] where its fusion was not learned or nothing was known."""
    told = metadata.get(FACTS)
    weights, searches = (told.get("weights"), told.get("searches")) if isinstance(told, Mapping) else (None, None)
    if not isinstance(weights, Mapping) or not isinstance(searches, Sequence):
        return []
    found = [weights.get(search) for search in searches if isinstance(search, str)]
    return [float(one) for one in found if isinstance(one, int | float)]


def _standing(config: LearnedFusionConfig, asked: Contexts, known: Sequence[Evidence]) -> tuple[str, Evidence]:
    """The finest level that has enough of its own, on what is known around it."""
    evidence, level = Evidence(), "prior"
    for name, own in zip(asked.levels, known, strict=True):
        if name != "personal" and not _falls_back_to(config.fallback_strategy, name):
            continue
        needed = config.min_interactions if name == "personal" else 1
        if own.interactions >= needed:
            evidence, level = combined(own, evidence, config.min_interactions), name
    return level, evidence


def _falls_back_to(strategy: FallbackStrategy, level: str) -> bool:
    return strategy is FallbackStrategy.HIERARCHICAL or (strategy is FallbackStrategy.GLOBAL and level == "global")


def _chance(context: Context, evidence: Evidence) -> random.Random:
    """Of the execution and of what is known: the same question meets other chance once something was learnt."""
    known = [[name, one.agreed, one.pairs] for name, one in sorted(evidence.agreements.items())]
    return random.Random(sha1_of([context.seed, context.stage_index, known]))  # noqa: S311 - to be repeated


def _rolled_out(config: LearnedFusionConfig, asked: Contexts, context: Context) -> bool:
    """Somebody who is known is always on one side."""
    lot = int(sha1_of(["rollout", asked.person or context.seed, context.stage_name])[:8], 16)
    return lot < config.rollout_pct / 100 * _CERTAIN


def _base(config: LearnedFusionConfig, searches: Sequence[str], own: Sequence[float]) -> dict[str, float]:
    """The weights to start from: shipped ones, else those that are written."""
    shipped = config.shipped_weight_set
    given = shipped.weights if shipped and shipped.weights else {}
    return {search: given.get(search, weight) for search, weight in zip(searches, own, strict=True)}


def _shares(base: Mapping[str, float]) -> dict[str, float]:
    total = sum(base.values())
    return {search: weight / total for search, weight in base.items()}


def _as_written(searches: Sequence[str], own: Sequence[float], base: Mapping[str, float], why: str) -> Weighing:
    total, given = sum(own) or 1.0, sum(base.values())
    weights = tuple(base[one] * total / given for one in searches) if given else tuple(own)
    return Weighing(weights, {FACTS: {"level": "prior", "used": False, "because": why}})


def _facts_of(found: Weighing) -> dict[str, JSON]:
    told: Any = found.facts[FACTS]
    return dict(told)


def _crediting(asked: Contexts, searches: Sequence[str]) -> dict[str, JSON]:
    return {"contexts": [*asked.names], "person": asked.person, "searches": [*searches]}
