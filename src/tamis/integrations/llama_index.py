"""A Tamis retriever as a LlamaIndex retriever: `pip install 'tamis[llama-index]'`."""

from typing import Any

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from tamis.client import AsyncClient, Client
from tamis.integrations.passages import Passage, Question

# Of use to who follows an answer back, and not to a model that reads it.
_UNREAD = ["document_id", "collection_id", "root_object_id", "root_bucket_id", "score", "execution_id"]


class TamisRetriever(BaseRetriever):
    """Nodes with the id, the fields and the score that they came with, and the `execution_id`.

    retriever: its name or id.  client, async_client: who asks, one for `retrieve` and one for `aretrieve`; else whom
    the environment names (TAMIS_URL, TAMIS_API_KEY, TAMIS_NAMESPACE).  question: which input the query is, and what
    else is sent.  Raises: ApiError, httpx.HTTPError.
    """

    def __init__(
        self,
        retriever: str,
        question: Question | None = None,
        client: Client | None = None,
        async_client: AsyncClient | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._retriever = retriever
        self._question = question or Question()
        self._client = client
        self._async_client = async_client

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if self._client is None:
            self._client = Client()
        execution = self._client.retrievers.execute(self._retriever, **self._body(query_bundle))
        return [_node(passage) for passage in self._question.passages(execution)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if self._async_client is None:
            self._async_client = AsyncClient()
        execution = await self._async_client.retrievers.execute(self._retriever, **self._body(query_bundle))
        return [_node(passage) for passage in self._question.passages(execution)]

    def _body(self, query_bundle: QueryBundle) -> Any:
        return self._question.body(query_bundle.query_str)


def _node(passage: Passage) -> NodeWithScore:
    node = TextNode(
        id_=passage.document_id,
        text=passage.text,
        metadata=dict(passage.metadata),
        excluded_llm_metadata_keys=_UNREAD,
        excluded_embed_metadata_keys=_UNREAD,
    )
    return NodeWithScore(node=node, score=passage.score)
