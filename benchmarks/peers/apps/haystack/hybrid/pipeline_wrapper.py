"""By meaning and words, fused by rank, filtered and sorted."""

from typing import Any

from embedding import embedded
from hayhooks import BasePipelineWrapper
from haystack import Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack_store import STORE, shown


class PipelineWrapper(BasePipelineWrapper):
    def setup(self) -> None:
        self.pipeline = Pipeline()
        self.pipeline.add_component("near", InMemoryEmbeddingRetriever(STORE))
        self.pipeline.add_component("worded", InMemoryBM25Retriever(STORE))
        self.pipeline.add_component("fused", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self.pipeline.connect("near", "fused.documents")
        self.pipeline.connect("worded", "fused.documents")

    def run_api(self, text: str, price: int, depth: int, limit: int) -> list[dict[str, Any]]:
        only = {"field": "meta.price", "operator": "<", "value": price}
        given = {
            "near": {"query_embedding": embedded(text).tolist(), "top_k": depth, "filters": only},
            "worded": {"query": text, "top_k": depth, "filters": only},
            "fused": {"top_k": depth},
        }
        found = shown(self.pipeline.run(given)["fused"]["documents"])
        return sorted(found, key=lambda row: row["price"])[:limit]
