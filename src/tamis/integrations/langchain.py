"""A Tamis retriever as a LangChain retriever: `pip install 'tamis[langchain]'`."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from tamis.client import AsyncClient, Client
from tamis.integrations.passages import Passage, Question


class TamisRetriever(BaseRetriever):
    """Documents with the id, the fields, the `score` and the `execution_id` that they came with.

    retriever: its name or id.  client, async_client: who asks, one for `invoke` and one for `ainvoke`; else whom
    the environment names (TAMIS_URL, TAMIS_API_KEY, TAMIS_NAMESPACE).  question: which input the query is, and what
    else is sent.  Raises: ApiError, httpx.HTTPError.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: str
    question: Question = Field(default_factory=Question)
    client: Client | None = None
    async_client: AsyncClient | None = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        if self.client is None:
            self.client = Client()
        execution = self.client.retrievers.execute(self.retriever, **self._body(query))
        return [_document(passage) for passage in self.question.passages(execution)]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self.async_client is None:
            self.async_client = AsyncClient()
        execution = await self.async_client.retrievers.execute(self.retriever, **self._body(query))
        return [_document(passage) for passage in self.question.passages(execution)]

    def _body(self, query: str) -> Any:
        return self.question.body(query)


def _document(passage: Passage) -> Document:
    return Document(id=passage.document_id, page_content=passage.text, metadata=dict(passage.metadata))
