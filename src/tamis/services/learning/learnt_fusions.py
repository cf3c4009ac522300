"""What interactions taught the fusions of a retriever: shown, and forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.engine.learning.learned_fusion import contexts_of
from tamis.engine.learning.learning_parameters import LearnedFusionConfig
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.learning import Evidence
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import StageSpec
from tamis.services.runs.learnt_weights import faded, today
from tamis.services.runs.retrievers import find_retriever


@dataclass(frozen=True, slots=True)
class Learnt:
    """Of one stage, for one level of whom: global, demographic or personal."""

    stage_name: str
    level: str
    evidence: Evidence


class LearntFusions:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def show(self, principal: Principal, retriever: str, inputs: Mapping[str, JSON]) -> Sequence[Learnt]:
        """As it counts today. inputs: of whom, as an execution's; without any, everybody. Raises: NotFoundError."""
        day = today(self._clock)

        def read(session: Session) -> Sequence[Learnt]:
            owner = find_retriever(session, principal, retriever)
            found: list[Learnt] = []
            for stage in owner.definition.stages:
                if not _learns(stage):
                    continue
                config = LearnedFusionConfig.model_validate(stage.parameters.get("learning_config") or {})
                asked, since = contexts_of(config, inputs), day - config.decay_window_days
                for level, name in zip(asked.levels, asked.names, strict=True):
                    days = session.fusion_credits.days(principal, owner.retriever_id, stage.stage_name, name, since)
                    found.append(Learnt(stage.stage_name, level, faded(days, day, config.decay_factor)))
            return found

        return await self._metadata.read(read)

    async def forget(self, principal: Principal, retriever: str) -> None:
        """Everybody's, of all its stages; the interactions stay, and teach nothing again. Raises: NotFoundError."""

        def forget(session: Session) -> None:
            owner = find_retriever(session, principal, retriever)
            session.fusion_credits.forget_retriever(principal, owner.retriever_id)

        await self._metadata.write(forget)


def _learns(stage: StageSpec) -> bool:
    return stage.stage_id == "feature_search" and stage.parameters.get("fusion") == "learned"
