"""Interactions are kept together with what they teach: by the execution's record, and not by what is told of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tamis.engine.learning.crediting import Shown, credit
from tamis.engine.learning.learned_fusion import FACTS, person_of
from tamis.engine.learning.learning_parameters import LearnedFusionConfig
from tamis.engine.ports.metadata import Session
from tamis.executions.codec import decode
from tamis.executions.record import Record, RecordedStage
from tamis.model.fusion_credit import FusionCredit
from tamis.model.interaction import Interaction, InteractionType
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.records.execution_records import shown_from, shown_hits

_FIRST_SHOWN = 100
"""Documents of a page that are compared: what stands behind them is hardly looked at."""


def keep(session: Session, principal: Principal, some: Sequence[Interaction], day: int) -> None:
    """Insert them, and what they teach. day: today, since 1970."""
    by_execution: defaultdict[str, list[Interaction]] = defaultdict(list)
    for one in some:
        if one.execution_id is not None:
            by_execution[one.execution_id].append(one)
    credits = [
        made
        for execution_id, told in by_execution.items()
        for made in _taught(session, principal, execution_id, told, day)
    ]
    session.interactions.insert(principal, some)
    session.fusion_credits.add(principal, credits)


def _taught(
    session: Session, principal: Principal, execution_id: str, told: Sequence[Interaction], day: int
) -> list[FusionCredit]:
    """[] for an execution that is not there, of a pipeline that does not learn, or whose documents are not known."""
    stored = session.executions.get(principal, execution_id)
    retriever_id = None if stored is None else stored.header.retriever_id
    if stored is None or retriever_id is None or not _learns(session.retrievers.get(principal, retriever_id)):
        return []
    record = decode(stored)
    # What stood before the last stage that learns was ranked anew by it.
    stage = next((one for one in reversed(record.stages) if _facts(one)), None)
    if stage is None:
        return []
    lesson = _Lesson(retriever_id, stage.stage_name, _facts(stage), _config(stage), shown_of(record), day)
    seen: defaultdict[str, set[InteractionType]] = defaultdict(set)
    for one in session.interactions.of_execution(principal, execution_id):
        if lesson.hears(one):
            seen[one.feature_id].update(one.types)
    made: list[FusionCredit] = []
    for one in filter(lesson.hears, told):
        fresh = [kind for kind in one.types if kind not in seen[one.feature_id]]
        seen[one.feature_id].update(one.types)
        likes = session.fusion_credits.places(principal, retriever_id, stage.stage_name)
        made += lesson.of(one, fresh, likes)
    return made


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What one execution can teach one of its stages. facts: what the stage noted when it decided on its weights."""

    retriever_id: str
    stage_name: str
    facts: Mapping[str, Any]
    config: LearnedFusionConfig
    shown: Shown
    day: int

    def hears(self, told: Interaction) -> bool:
        """Not what is told of another retriever, or by somebody of another's search."""
        person = self.facts.get("person")
        is_theirs = told.user_id is None or person is None or person_of(told.user_id) == person
        return is_theirs and told.retriever_id in (None, self.retriever_id)

    def of(self, told: Interaction, fresh: Sequence[InteractionType], likes: Mapping[int, int]) -> list[FusionCredit]:
        """fresh: of its types, those that nobody has told of this document yet."""
        reward, place = _reward(self.config, fresh), self.shown.place_of(told.feature_id)
        if reward == 0 or place is None:
            return []
        agreements = credit(self.shown, told.feature_id, self.facts["searches"], reward, likes)
        if not agreements:
            return []
        person = self.facts.get("person") or (None if told.user_id is None else person_of(told.user_id))
        contexts = tuple(self.facts["contexts"])
        return [
            FusionCredit(
                told.interaction_id, self.retriever_id, self.stage_name, contexts, person, place, self.day, agreements
            )
        ]


def _reward(config: LearnedFusionConfig, kinds: Sequence[InteractionType]) -> float:
    most = config.max_reward_per_interaction
    rewards = [config.rewards.get(kind, 0.0) for kind in kinds]
    return min(max(max(rewards, key=abs, default=0.0), -most), most)


def _learns(retriever: Retriever | None) -> bool:
    return retriever is not None and any(
        stage.stage_id == "feature_search" and stage.parameters.get("fusion") == "learned"
        for stage in retriever.definition.stages
    )


def _facts(stage: RecordedStage) -> Mapping[str, Any]:
    """What a stage with learned fusion noted; {} for another, and for one that could not learn."""
    told = stage.metadata.get(FACTS)
    return told if isinstance(told, Mapping) and "contexts" in told else {}


def _config(stage: RecordedStage) -> LearnedFusionConfig:
    try:
        return LearnedFusionConfig.model_validate(stage.parameters.get("learning_config") or {})
    except ValidationError:
        # It was written by another version.
        return LearnedFusionConfig()


def shown_of(record: Record) -> Shown:
    if "documents" in record.left_out:
        return Shown(())
    hits = [hit for hit in shown_hits(record) if hit.is_document][:_FIRST_SHOWN]
    return Shown([(hit.id, hit.scores) for hit in hits], shown_from(record))
