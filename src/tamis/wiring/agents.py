"""Sessions with agents: what keeps them, what answers in them, and who looks after answers that nobody makes."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.rates import Rates
from tamis.engine.stages import STAGES
from tamis.jobs.agent_answers import AgentAnswers
from tamis.services.agents.agent_sessions import AgentSessionService
from tamis.services.agents.agent_tools import Reached
from tamis.services.agents.answer import Crew
from tamis.services.agents.answering import AnsweringService
from tamis.services.data.documents import DocumentService
from tamis.services.learning.interactions import InteractionService
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.turns import Turns
from tamis.services.upkeep.indexing import Indexer
from tamis.settings import Settings
from tamis.wiring.backends import Backends
from tamis.wiring.prices import price_table


def agents_of(
    settings: Settings, backends: Backends, executions: ExecutionService, indexer: Indexer, language: LanguageModels,
    turns: Turns, rates: Rates, clock: Clock,
) -> Sequence[Any]:  # fmt: skip
    metadata, locks = backends.metadata, backends.locks
    reached = Reached(executions, DocumentService(metadata, indexer), InteractionService(metadata, clock))
    crew = Crew(metadata, language, reached, turns, price_table(settings).of("agent_search"), STAGES, clock)
    return (
        AgentSessionService(metadata, language, clock),
        AnsweringService(metadata, crew, rates, locks, clock),
        AgentAnswers(metadata, clock, locks),
    )
