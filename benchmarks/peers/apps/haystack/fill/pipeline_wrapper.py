"""Rows into the store."""

from typing import Any

from hayhooks import BasePipelineWrapper
from haystack import Document
from haystack_store import STORE


class PipelineWrapper(BasePipelineWrapper):
    def setup(self) -> None:
        self.store = STORE

    def run_api(self, rows: list[dict[str, Any]]) -> int:
        documents = [
            Document(
                id=str(row["number"]),
                content=row["text"],
                meta={"shelf": row["shelf"], "price": row["price"]},
                embedding=row["vector"],
            )
            for row in rows
        ]
        return int(self.store.write_documents(documents))
