"""The live catalogue of stages: the very schemas that the planner enforces."""

from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tamis.api.bodies import JsonRoute
from tamis.api.schemas.retriever import StageType
from tamis.api.schemas.retriever_wire import stage_type
from tamis.engine.stage import Stage
from tamis.engine.stages import STAGES

router = APIRouter(prefix="/v1/retrievers", tags=["retriever stages"], route_class=JsonRoute)


class RetrieverStageDefinition(BaseModel):
    """parameter_schema: JSON schema of `config.parameters`.  example: parameters that are right, to begin with."""

    category: StageType
    description: str
    effects: list[str] = Field(default_factory=list)
    example: dict[str, Any] | None = None
    icon: str
    parameter_schema: dict[str, Any] | None = None
    stage_id: str


@cache
def catalogue() -> list[RetrieverStageDefinition]:
    return [_definition(stage) for stage in STAGES.values()]


def _definition(stage: type[Stage]) -> RetrieverStageDefinition:
    return RetrieverStageDefinition(
        stage_id=stage.id,
        description=stage.description,
        category=stage_type(stage.id) or StageType.APPLY,
        icon=stage.icon,
        parameter_schema=stage.Parameters.model_json_schema(),
        effects=sorted(effect.value for effect in stage.effects),
        example=getattr(stage, "example", None),
    )


@router.get("/stages")
async def list_stages() -> list[RetrieverStageDefinition]:
    """Every stage that a pipeline may use. Open to all: it holds nobody's data."""
    return catalogue()
