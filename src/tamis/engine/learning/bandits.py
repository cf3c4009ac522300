"""From what was learnt of each search to the weights of one execution.

theta of a search is how often its own order agrees with what was liked, 1/2 by chance, with a Beta distribution. Its
weight is its own one times (theta / (1 - theta)) ** SHARPNESS: where nothing is known, or likes are noise, the weights
are those that the pipeline names, and a search that agrees more than the others gets more of the whole.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tamis.engine.ports.learning import Evidence

SHARPNESS = 2.0


class LearningAlgorithm(StrEnum):
    THOMPSON_SAMPLING = "thompson_sampling"
    EPSILON_GREEDY = "epsilon_greedy"
    UCB = "ucb"


@dataclass(frozen=True, slots=True)
class Policy:
    """How weights are drawn. prior_alpha, prior_beta: of theta before anything is learnt.

    bonus, bonus_decay, floor: exploration is bonus * bonus_decay ** interactions, and never less than the floor.
    min_weight, max_weight: of the whole, which is 1.
    """

    algorithm: LearningAlgorithm
    prior_alpha: float
    prior_beta: float
    bonus: float
    bonus_decay: float
    floor: float
    min_weight: float
    max_weight: float

    def exploration(self, interactions: float) -> float:
        return max(self.floor, self.bonus * math.pow(self.bonus_decay, interactions))


@dataclass(frozen=True, slots=True)
class Drawn:
    """weights: by search, their sum is 1.  thetas: what they were made of.  exploration: its strength."""

    weights: Mapping[str, float]
    thetas: Mapping[str, float]
    exploration: float


def draw(policy: Policy, own: Mapping[str, float], evidence: Evidence, chance: random.Random) -> Drawn:
    """The weights of one execution. own: those that the pipeline names, by search; not all 0."""
    strength = policy.exploration(evidence.interactions)
    posteriors = {search: _posterior(policy, evidence, search) for search in own}
    thetas = _ALGORITHMS[policy.algorithm](posteriors, strength, evidence.interactions, chance)
    return Drawn(weigh(own, thetas, policy.min_weight, policy.max_weight), thetas, strength)


def weigh(own: Mapping[str, float], thetas: Mapping[str, float], least: float, most: float) -> dict[str, float]:
    """Weights whose sum is 1, within their limits as far as there is room for all."""
    total = sum(own.values())
    logs = {search: SHARPNESS * _log_odds(thetas[search]) for search in own}
    top = max(logs.values())
    raw = {search: own[search] / total * math.exp(logs[search] - top) for search in own}
    whole = sum(raw.values())
    return _bounded({search: value / whole for search, value in raw.items()}, least, most)


def _bounded(weights: Mapping[str, float], least: float, most: float) -> dict[str, float]:
    """Each within its limits, the rest scaled to keep the sum; a search that the pipeline gives 0 stays at 0."""
    active = [search for search, weight in weights.items() if weight > 0]
    low, high = min(least, 1 / len(active)), max(most, 1 / len(active))
    found = dict(weights)
    for _ in active:
        clipped = {search: min(max(found[search], low), high) for search in active}
        missing = 1 - sum(clipped.values())
        if abs(missing) < 1e-12:
            return {**found, **clipped}
        room = [one for one in active if (clipped[one] < high if missing > 0 else clipped[one] > low)]
        share = sum(clipped[one] for one in room)
        found = {**found, **clipped, **{one: clipped[one] * (1 + missing / share) for one in room}}
    return {**found, **{search: min(max(found[search], low), high) for search in active}}


def _posterior(policy: Policy, evidence: Evidence, search: str) -> tuple[float, float]:
    known = evidence.agreements.get(search)
    if known is None:
        return policy.prior_alpha, policy.prior_beta
    return policy.prior_alpha + max(known.agreed, 0.0), policy.prior_beta + max(known.pairs - known.agreed, 0.0)


def _thompson(
    posteriors: Mapping[str, tuple[float, float]], strength: float, _interactions: float, chance: random.Random
) -> dict[str, float]:
    """A draw from each distribution, whose variance is the strength times its own."""
    if strength <= 0:
        return {search: _mean(one) for search, one in posteriors.items()}
    return {search: chance.betavariate(a / strength, b / strength) for search, (a, b) in posteriors.items()}


def _epsilon_greedy(
    posteriors: Mapping[str, tuple[float, float]], strength: float, _interactions: float, chance: random.Random
) -> dict[str, float]:
    """The means; with a probability of the strength, one more or less of each by chance."""
    explores = chance.random() < strength
    return {search: chance.betavariate(8, 8) if explores else _mean(one) for search, one in posteriors.items()}


def _ucb(
    posteriors: Mapping[str, tuple[float, float]], strength: float, interactions: float, _chance: random.Random
) -> dict[str, float]:
    """Mean and what is not known yet: what was tried least comes first (Auer, Cesa-Bianchi & Fischer 2002)."""
    looked = math.log(interactions + 2)
    return {
        search: min(_mean((a, b)) + strength * math.sqrt(looked / (8 * (a + b))), 0.99)
        for search, (a, b) in posteriors.items()
    }


def _mean(posterior: tuple[float, float]) -> float:
    return posterior[0] / sum(posterior)


def _log_odds(theta: float) -> float:
    kept = min(max(theta, 0.01), 0.99)
    return math.log(kept / (1 - kept))


def combined(own: Evidence, wider: Evidence, worth: float) -> Evidence:
    """A context's evidence upon that of the one around it, which counts for at most `worth` interactions."""
    share = 1.0 if wider.interactions <= worth else worth / wider.interactions
    agreements = dict(own.agreements)
    for search, known in wider.agreements.items():
        mine = agreements.get(search)
        agreed, pairs = (mine.agreed, mine.pairs) if mine else (0.0, 0.0)
        agreements[search] = type(known)(agreed + share * known.agreed, pairs + share * known.pairs)
    return Evidence(own.interactions, agreements)


_ALGORITHMS = {
    LearningAlgorithm.THOMPSON_SAMPLING: _thompson,
    LearningAlgorithm.EPSILON_GREEDY: _epsilon_greedy,
    LearningAlgorithm.UCB: _ucb,
}
