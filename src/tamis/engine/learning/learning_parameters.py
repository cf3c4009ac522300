"""`learning_config` of a feature search: how its weights are learnt, for whom, and how far they may go."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, field_validator

from tamis.engine.learning.bandits import LearningAlgorithm, Policy
from tamis.engine.parameters import StageParameters
from tamis.model.interaction import DISLIKING, LIKING, InteractionType

_KINDS = {kind.value for kind in InteractionType}


class FallbackStrategy(StrEnum):
    """What stands in where somebody's own interactions are too few."""

    HIERARCHICAL = "hierarchical"
    GLOBAL = "global"
    PRIOR = "prior"


class ShippedWeightSet(StageParameters):
    weight_set_id: str = Field(min_length=1, description="What these weights are called.")
    evaluation_id: str = Field(min_length=1, description="The evaluation that speaks for them.")
    baseline_evaluation_id: str = Field(min_length=1, description="The evaluation that they did better than.")
    shipped_at: datetime = Field(description="Since when they stand.")
    weights: dict[str, float] | None = Field(
        None, description="By search: its feature URI, with `#lexical` behind it for one by words."
    )

    @field_validator("weights")
    @classmethod
    def _are_weights(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        wrong = [name for name, weight in (value or {}).items() if not 0 <= weight < float("inf")]
        if wrong:
            raise ValueError(f"a weight is a number from 0 on; {wrong[0]!r} has {(value or {})[wrong[0]]}")
        return value


class LearnedFusionConfig(StageParameters):
    algorithm: LearningAlgorithm = Field(
        LearningAlgorithm.THOMPSON_SAMPLING,
        description="thompson_sampling draws each search's worth from what is known of it; epsilon_greedy takes the "
        "best known and now and then another; ucb takes the most that it may yet be worth.",
    )
    context_features: list[str] | None = Field(
        None, description="Inputs whose values make a context of its own; `user_id` if omitted."
    )
    demographic_features: list[str] | None = Field(
        None, description="Inputs whose values make the group around it; `segment` if omitted."
    )
    fallback_strategy: FallbackStrategy = Field(
        FallbackStrategy.HIERARCHICAL,
        description="hierarchical: the context, else its group, else everyone, else the weights as written. global: "
        "the context, else everyone. prior: the context, else the weights as written.",
    )
    min_interactions: int = Field(
        5, ge=1, le=100, description="Interactions that a context needs of its own; what is known around it counts "
        "for as many."
    )  # fmt: skip
    prior_alpha: float = Field(1.0, ge=0.1, allow_inf_nan=False, description="Agreements taken for granted.")
    prior_beta: float = Field(1.0, ge=0.1, allow_inf_nan=False, description="Disagreements taken for granted.")
    exploration_bonus: float = Field(1.0, ge=0.1, le=10, description="Exploration before anything is learnt.")
    exploration_decay: float = Field(0.99, ge=0.9, le=1, description="What an interaction leaves of it.")
    exploration_floor: float = Field(0.1, ge=0, le=5, description="It never gets less than this.")
    decay_factor: float = Field(0.995, ge=0.9, le=1, description="What a day leaves of what was learnt.")
    decay_window_days: int = Field(365, ge=1, le=3650, description="What is older than this is not looked at.")
    min_weight: float = Field(0.05, ge=0, le=0.5, description="The least of the whole that a search may get.")
    max_weight: float = Field(0.95, ge=0.5, le=1, description="The most of the whole that a search may get.")
    reward_signal: str = Field(
        "click",
        description="The interaction that counts, as 1. `click` stands for all that say the document was liked "
        "(as 1) or was not (as -1).",
    )
    reward_map: dict[str, float] | None = Field(
        None, description="What each type of interaction counts, in place of reward_signal; below 0 for dislikes."
    )
    max_reward_per_interaction: float = Field(5.0, ge=0.1, le=100, description="What one counts at most.")
    rollout_pct: float = Field(
        100.0, ge=0, le=100, description="Executions that use what is learnt; the others use the weights as written."
    )
    shadow_mode: bool = Field(False, description="Learn and note what would be used; use the weights as written.")
    shipped_weight_set: ShippedWeightSet | None = Field(
        None, description="Weights to start from, in place of the searches' own."
    )
    evaluation_dataset_id: str | None = Field(
        None, description="The data set that `tamis tune` takes if none is given."
    )
    circuit_breaker_timeout_ms: int = Field(
        1000, ge=1, le=30_000, description="What is learnt is read within this, or the weights as written are used."
    )

    @field_validator("reward_signal")
    @classmethod
    def _is_a_kind(cls, value: str) -> str:
        if value not in _KINDS:
            raise ValueError(f"no type of interaction is called {value!r}; there are {', '.join(sorted(_KINDS))}")
        return value

    @field_validator("reward_map")
    @classmethod
    def _are_rewards(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        for kind, reward in (value or {}).items():
            cls._is_a_kind(kind)
            if not -100 <= reward <= 100:
                raise ValueError(f"a reward is from -100 to 100; {kind!r} has {reward}")
        return value

    @property
    def rewards(self) -> dict[InteractionType, float]:
        """What each type of interaction counts."""
        if self.reward_map is not None:
            return {InteractionType(kind): reward for kind, reward in self.reward_map.items()}
        if self.reward_signal == InteractionType.CLICK:
            return {**dict.fromkeys(LIKING, 1.0), **dict.fromkeys(DISLIKING, -1.0)}
        return {InteractionType(self.reward_signal): 1.0}

    @property
    def policy(self) -> Policy:
        return Policy(
            self.algorithm, self.prior_alpha, self.prior_beta, self.exploration_bonus, self.exploration_decay,
            self.exploration_floor, self.min_weight, self.max_weight,
        )  # fmt: skip
