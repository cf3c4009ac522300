"""The one document store of the three pipelines, Haystack's own in memory."""

from haystack.document_stores.in_memory import InMemoryDocumentStore

STORE = InMemoryDocumentStore(embedding_similarity_function="dot_product")


def shown(documents: list) -> list[dict]:
    return [{"number": int(one.id), "text": one.content, **one.meta} for one in documents]
