"""Sessions with agents, driven by the published client; by the typed client; and by the command."""

import json
from typing import Any

import mixpeek
import pytest

from tamis.client import Client
from tests.commands import tamis
from tests.conformance.conftest import Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, search
from tests.conformance.wire import Wire
from tests.conversation_world import run, say
from tests.live import LiveServer
from tests.llm_server import LanguageServer

QUESTION = "What warns a ship of rocks after dark?"


class _Raw:
    """As the published client sends it; answers are read as they came."""

    def __init__(self, generated: mixpeek.ApiClient, wire: Wire) -> None:
        self._api: Any = mixpeek.AgentSessionsApi(generated)
        self._wire = wire

    def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        assert getattr(self._api, f"{name}_without_preload_content")(*arguments, **named).data is not None
        return self._wire.last()

    def events(self, *arguments: Any) -> list[dict[str, Any]]:
        response = self._api.send_message_agents_sessions_without_preload_content(*arguments)
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        return [json.loads(line[6:]) for line in response.data.splitlines() if line.startswith(b"data: ")]


@pytest.fixture(scope="module")
def retriever(server: LiveServer, corpus: Corpus) -> str:
    with Client(server.url, server.key, corpus.namespace) as tamis_client:
        made = tamis_client.retrievers.create(
            retriever_name="talked-of",
            collection_identifiers=[corpus.collection_id],
            stages=[search()],
            input_schema=INPUT_SCHEMA,
        )
    return str(made["retriever"]["retriever_id"])


def test_the_published_client_holds_a_conversation(
    wire: Wire, generated: mixpeek.ApiClient, retriever: str, model: LanguageServer
) -> None:
    api = _Raw(generated, wire)
    config = {
        "agent_config": {"model": "small", "available_tools": ["execute_retriever"]},
        "quotas": {"max_messages": 9},
    }
    made = api.call("create_session_agents", mixpeek.CreateSessionRequest.from_dict(config))
    session = made["session_id"]
    model.script.extend([run("talked-of", query=QUESTION), say("A lighthouse [D1].", "D1")])
    events = api.events(session, mixpeek.SendMessageRequest.from_dict({"content": QUESTION}))
    by_type = {one["event_type"]: one for one in events}
    assert by_type["message"]["content"] == "A lighthouse [D1]."
    assert by_type["retriever_execution"]["retriever_id"] == retriever
    assert events[-1]["retriever_summary"]["executions"] == [by_type["retriever_execution"]["execution_id"]]
    history = api.call("get_history_agents_sessions", session)
    assert [one["role"] for one in history["messages"]] == ["user", "tool", "assistant"]
    rated = {"message_id": by_type["message"]["message_id"], "rating": "positive"}
    feedback = mixpeek.SubmitFeedbackRequest.from_dict(rated)
    assert api.call("submit_feedback_agents_sessions", session, feedback)["stored"] is True
    memory = mixpeek.PatchSessionRequest.from_dict({"user_memory": {"likes": "ships"}})
    assert api.call("patch_session_agents", session, memory)["session_id"] == session
    found = api.call("get_session_agents", session)
    assert (found["user_memory"], found["status"], found["message_count"]) == ({"likes": "ships"}, "active", 2)
    assert api.call("list_sessions_agents")["total"] >= 1
    assert api.call("terminate_session_agents", session)["status"] == "terminated"


def test_the_typed_client_streams_and_confirms(
    server: LiveServer, corpus: Corpus, retriever: str, model: LanguageServer
) -> None:
    with Client(server.url, server.key, corpus.namespace) as client:
        config: Any = {"retrievers": [retriever], "available_tools": ["execute_retriever", "update_document"]}
        session = client.sessions.create(agent_config=config)["session_id"]
        update = {"tool": "update_document", "arguments": {"document": "D1", "fields": {"lit": True}}}
        model.script.extend([run("talked-of", query=QUESTION), update])
        events = list(client.sessions.stream_message(session, content=QUESTION))
        asked = next(one for one in events if one["event_type"] == "confirmation_required")
        model.script.append(say("It is lit [D1]."))
        events = list(client.sessions.stream_confirmation(session, str(asked["confirmation_id"]), approved=True))
        answer = next(one for one in events if one["event_type"] == "message")
        (cited,) = answer["citations"] or []
        document = client.documents.get(corpus.collection_id, cited["document_id"])
        assert document["lit"] is True
        assert "update_document" in [one["name"] for one in client.sessions.list_tools()["results"]]
        client.sessions.terminate(session, forget=True)


def test_a_conversation_by_command(server: LiveServer, corpus: Corpus, retriever: str, model: LanguageServer) -> None:
    def typed(*arguments: Any, status: int = 0, given: str | None = None) -> str:
        return tamis("chat", *arguments, server=server, status=status, given=given, TAMIS_NAMESPACE=corpus.namespace)

    model.script.extend([run("talked-of", query=QUESTION), say("A lighthouse [D1], not [D9].", "D1")])
    told = typed("--retriever", retriever, "--message", QUESTION)
    assert "execute_retriever" in told
    assert "documents, execution exec_" in told
    assert "A lighthouse [D1], not [?]." in told
    assert "  [D1] doc_" in told
    assert "dropped: D9" in told
    session = next(word for word in told.split() if word.startswith("ses_"))
    write = {"tool": "create_interaction", "arguments": {"document": "D1", "interaction_type": "positive_feedback"}}
    model.script.extend([run("talked-of", query=QUESTION), write, say("Not noted."), say("Still here.")])
    tools = ("--tool", "execute_retriever", "--tool", "create_interaction")
    told = typed(*tools, given="I like it\nn\nAnd?\n/exit\n")
    assert "create_interaction" in told
    assert "do it?" in told
    assert told.index("Not noted.") < told.index("Still here.")
    model.script.extend(["no json", "none"])
    assert "no answer (failed)" in typed("--session", session, "--message", "And?", status=1)
    assert "was not found" in typed("--session", "ses_none", "--message", "And?", status=1)
