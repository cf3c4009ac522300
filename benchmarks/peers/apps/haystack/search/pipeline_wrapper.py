"""By vector, with or without a filter."""

from typing import Any

from hayhooks import BasePipelineWrapper
from haystack import Pipeline
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack_store import STORE, shown


class PipelineWrapper(BasePipelineWrapper):
    def setup(self) -> None:
        self.pipeline = Pipeline()
        self.pipeline.add_component("near", InMemoryEmbeddingRetriever(STORE))

    def run_api(self, vector: list[float], limit: int, shelf: str | None = None) -> list[dict[str, Any]]:
        only = {"field": "meta.shelf", "operator": "==", "value": shelf} if shelf else None
        given = {"near": {"query_embedding": vector, "top_k": limit, "filters": only}}
        return shown(self.pipeline.run(given)["near"]["documents"])
