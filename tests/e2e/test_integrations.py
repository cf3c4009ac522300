"""A retriever as LangChain and as LlamaIndex know retrievers, against a live server."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tamis import ApiError, AsyncClient, Client
from tamis.integrations.passages import Question
from tests.e2e.tea_house import TEAS, furnish
from tests.live import Room

BLACK = ["Black assam", "Smoked black souchong"]


@pytest.fixture(scope="module")
def client(server: Room) -> Iterator[Client]:
    with Client(server.url, server.key, server.namespace) as client:
        furnish(client)
        client.documents.import_("teas", TEAS)
        yield client


@pytest.fixture
async def awaited(server: Room) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url, server.key, server.namespace) as client:
        yield client


async def test_langchain_gets_documents_with_what_is_known_of_them(client: Client, awaited: AsyncClient) -> None:
    from tamis.integrations.langchain import TamisRetriever

    retriever = TamisRetriever(retriever="teas", client=client, async_client=awaited)
    found = retriever.invoke("black")
    assert [one.page_content for one in found] == BLACK
    first = found[0].metadata
    assert (found[0].id, first["price"], "title" in first) == (first["document_id"], 9, False)
    assert first["score"] > found[1].metadata["score"]
    trace = client.executions.trace(first["execution_id"], retriever_id="teas")
    assert trace.data["total_returned"] == 2
    later = await retriever.ainvoke("black")
    assert [one.page_content for one in later] == BLACK
    assert later[0].metadata["execution_id"] != first["execution_id"]
    with pytest.raises(ApiError, match="nobody"):
        TamisRetriever(retriever="nobody", client=client).invoke("black")


async def test_llama_index_gets_nodes_with_what_is_known_of_them(client: Client, awaited: AsyncClient) -> None:
    pytest.importorskip("llama_index.core", reason="the extra `llama-index` is not installed")
    from llama_index.core.schema import MetadataMode

    from tamis.integrations.llama_index import TamisRetriever

    retriever = TamisRetriever("teas", client=client, async_client=awaited)
    found = retriever.retrieve("black")
    assert [one.node.get_content() for one in found] == BLACK
    assert [one.node_id for one in found] == [one.metadata["document_id"] for one in found]
    assert found[0].score == found[0].metadata["score"]
    read = found[0].node.get_content(MetadataMode.LLM)
    assert "price: 9" in read
    assert "execution_id" not in read
    assert [one.node_id for one in await retriever.aretrieve("black")] == [one.node_id for one in found]


def test_a_question_says_which_input_and_which_text(client: Client) -> None:
    question = Question(
        query_input="query",
        inputs={"more": 1},
        filters={"field": "price", "operator": "lt", "value": 10},
        text_field="price",
    )
    body: Any = question.body("black")
    assert body["inputs"] == {"more": 1, "query": "black"}
    (passage,) = question.passages(client.retrievers.execute("teas", **body))
    assert (passage.text, passage.metadata["title"]) == ("9", "Black assam")
    found = client.retrievers.execute("teas", inputs={"query": "black"})
    with pytest.warns(UserWarning, match=r"has a text in 'a\.b' \(text_field\); they have .*price, .*title"):
        nowhere = Question(text_field="a.b").passages(found)
    assert {one.text for one in nowhere} == {""}
