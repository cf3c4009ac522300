"""What is told of the retriever behind a published one: kinds of stages, and nothing of how they are set."""

from fastapi import Request

from tamis.api.schemas.published import RetrieverMetadata
from tamis.api.schemas.retriever_wire import stage_type
from tamis.model.retriever import Retriever
from tamis.services.public.publishing import PublishingService

PUBLIC_PATH = "/v1/public/retrievers"


def describe(retriever: Retriever) -> RetrieverMetadata:
    """Collections are not told: their names are their owner's."""
    definition = retriever.definition
    return RetrieverMetadata(
        capabilities={"stage_count": len(definition.stages)},
        stages=[{"stage_id": one.stage_id, "stage_type": stage_type(one.stage_id)} for one in definition.stages],
    )


def public_url(request: Request, name: str) -> str:
    """Its search page, for everybody."""
    publishing: PublishingService = request.app.state.services[PublishingService]
    return publishing.page_url(str(request.base_url), name)
