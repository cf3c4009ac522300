"""The live catalogue of stages: the very schemas that the planner enforces."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from tamis.api.access import service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.retriever import StageType
from tamis.api.schemas.retriever_wire import stage_type
from tamis.engine.stage import Stage
from tamis.services.runs.stage_catalogue import StageCatalogue

router = APIRouter(prefix="/v1/retrievers", tags=["retriever stages"], route_class=JsonRoute)

Catalogue = Annotated[StageCatalogue, Depends(service(StageCatalogue))]


class RetrieverStageDefinition(BaseModel):
    """parameter_schema: JSON schema of `config.parameters`.  example: parameters that are right, to begin with.

    missing: what the operator has to set up or install before this server runs it, and how; null where it runs.
    """

    category: StageType
    description: str
    effects: list[str] = Field(default_factory=list)
    example: dict[str, Any] | None = None
    icon: str
    missing: str | None = None
    parameter_schema: dict[str, Any] | None = None
    stage_id: str


def definitions(catalogue: StageCatalogue) -> list[RetrieverStageDefinition]:
    return [_definition(stage, missing) for stage, missing in catalogue.stages()]


@cache
def _definition(stage: type[Stage], missing: str | None) -> RetrieverStageDefinition:
    return RetrieverStageDefinition(
        missing=missing,
        stage_id=stage.id,
        description=stage.description,
        category=stage_type(stage.id) or StageType.APPLY,
        icon=stage.icon,
        parameter_schema=stage.Parameters.model_json_schema(),
        effects=sorted(effect.value for effect in stage.effects),
        example=getattr(stage, "example", None),
    )


@router.get("/stages")
async def list_stages(catalogue: Catalogue) -> list[RetrieverStageDefinition]:
    """Every stage, with what a server lacks that does not run it. Open to all: it holds nobody's data."""
    return definitions(catalogue)
