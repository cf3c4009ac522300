"""Sessions with agents over a real system: what a model says is a script, everything else is real."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tamis.model.principal import Principal
from tests.access_world import ADMIN
from tests.conversation_world import BOOTS, INPUTS, LAMP, OF_KIND, PLANTED, SANDALS, Talk, run, say, talking
from tests.llm_server import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITING = ["execute_retriever", "update_document"]


def update(document: str, **fields: Any) -> dict[str, Any]:
    return {"tool": "update_document", "arguments": {"document": document, "fields": fields}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Talk]:
    prices = {"agent_search": {"per_1k_tokens": 1.0}, "attribute_filter": 0.25}
    async with talking(tmp_path_factory.mktemp("talk") / "data", prices=prices) as talk:
        yield talk


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.005)


async def test_an_answer_is_made_of_documents_that_were_really_returned(talk: Talk) -> None:
    session = await talk.session()
    told = "Boots keep water out [D1], and [D7] is better. Lamps [D2, D8] burn."
    answer = await talk.tell(
        session, "Which shoes?\n Please", run(kind="shoe"), run(kind="light"), say(told, "D3", "D99")
    )
    assert answer["status"] == "complete"
    assert answer["content"] == "Boots keep water out [D1], and [?] is better. Lamps [D2] burn."
    assert [(one["label"], one["document_id"]) for one in answer["citations"]] == [
        ("D1", BOOTS), ("D2", SANDALS), ("D3", LAMP),
    ]  # fmt: skip
    assert answer["unknown_citations"] == ["D7", "D8", "D99"]
    first, second = answer["executions"]
    assert [one["execution_id"] for one in answer["citations"]] == [first, first, second]
    retriever = answer["citations"][0]["retriever_id"]
    record = await talk.ask("GET", f"retrievers/{retriever}/executions/{first}")
    assert (record["execution_id"], record["status"]) == (first, "completed")
    history = await talk.history(session)
    assert [(one["role"], one["status"]) for one in history] == [
        ("user", "complete"), ("tool", "complete"), ("tool", "complete"), ("assistant", "complete"),
    ]  # fmt: skip
    assert history[1]["execution_id"] == first
    assert json.loads(history[1]["tool_inputs"]) == {"retriever": "goods", "inputs": {"kind": "shoe"}}
    found = await talk.ask("GET", f"agents/sessions/{session}")
    assert (found["session_name"], found["message_count"], found["state"]) == ("Which shoes? Please", 2, "open")
    assert found["stats"]["total_tool_calls"] == 2
    assert found["stats"]["total_tokens"] == answer["tokens_used"] == history[-1]["tokens_used"] > 0


async def test_what_documents_say_is_data(talk: Talk) -> None:
    session = await talk.session(available_tools=WRITING)
    begun = len(talk.model.requests)
    answer = await talk.tell(session, "Shoes?", run(kind="shoe"), update("D2", kind="gone"))
    assert answer["status"] == "awaiting_confirmation"  # the model fell for it; a person is asked
    seen = talk.model.texts[begun + 1]
    before, _, after = seen.partition(PLANTED)
    mark = before.rpartition("<data-")[2].partition(">")[0]
    assert f"</data-{mark}>" in after
    assert f"</data-{mark}>" not in before.rpartition("<data-")[2]
    assert (await talk.ask("GET", f"collections/goods/documents/{SANDALS}"))["kind"] == "shoe"


async def test_a_stream_tells_each_step(talk: Talk) -> None:
    session = await talk.session()
    events = await talk.stream(session, "Light?", run(kind="light"), say("A lamp [D1].", "D1"))
    assert [one["event_type"] for one in events] == [
        "session_name", "thinking", "tool_call", "tool_result", "retriever_execution", "thinking", "message", "done",
    ]  # fmt: skip
    by_type = {one["event_type"]: one for one in events}
    execution = by_type["retriever_execution"]["execution_id"]
    assert by_type["retriever_execution"]["documents_returned"] == 1
    assert by_type["message"]["citations"][0]["execution_id"] == execution
    assert by_type["done"]["retriever_summary"]["executions"] == [execution]
    assert by_type["done"]["data_accessed_via_retriever"] is True
    # What was said is told again, fenced, and the document keeps its name.
    begun = len(talk.model.requests)
    again = await talk.tell(session, "And again?", run(kind="light"), say("As said [D1]."))
    assert again["citations"][0]["label"] == "D1"
    first = talk.model.requests[begun]["messages"]
    assert [one["role"] for one in first] == ["system", "user", "assistant", "user"]
    assert first[1]["content"] == "Light?"
    assert first[2]["content"].startswith("<data-")
    assert "A lamp [D1]." in first[2]["content"]


async def test_a_write_waits_for_a_person(talk: Talk) -> None:
    session = await talk.session(available_tools=WRITING)
    events = await talk.stream(session, "Mark the lamp", run(kind="light"), update("D1", sold=True))
    assert [one["event_type"] for one in events][-2:] == ["confirmation_required", "done"]
    asked = events[-2]
    assert (asked["tool_name"], asked["inputs"]) == ("update_document", {"document": "D1", "fields": {"sold": True}})
    assert "sold" not in await talk.ask("GET", f"collections/goods/documents/{LAMP}")
    found = await talk.ask("GET", f"agents/sessions/{session}")
    assert found["pending_confirmation"]["confirmation_id"] == asked["confirmation_id"]
    path = f"agents/sessions/{session}/confirmations"
    await talk.ask("POST", f"{path}/conf_00000000000000000000", {"approved": True, "stream": False}, 404)
    talk.model.script.append(say("Done [D1]."))
    done = await talk.ask("POST", f"{path}/{asked['confirmation_id']}", {"approved": True, "stream": False})
    assert (done["status"], done["content"]) == ("complete", "Done [D1].")
    assert [(one["tool_name"], one["status"]) for one in done["tool_calls"]] == [("update_document", "complete")]
    assert (await talk.ask("GET", f"collections/goods/documents/{LAMP}"))["sold"] is True
    await talk.ask("POST", f"{path}/{asked['confirmation_id']}", {"approved": True, "stream": False}, 404)
    statuses = [(one["role"], one["status"]) for one in await talk.history(session)]
    assert statuses == [("user", "complete"), ("tool", "complete"), ("tool", "complete"), ("assistant", "complete")]


async def test_a_declined_write_is_not_done_and_another_message_lets_it_lapse(talk: Talk) -> None:
    session = await talk.session(available_tools=[*WRITING, "create_interaction"])
    answer = await talk.tell(session, "Mark it", run(kind="light"), update("D1", lost=True))
    talk.model.script.append(say("Left as it is."))
    path = f"agents/sessions/{session}/confirmations/{answer['pending_confirmation']['confirmation_id']}"
    declined = await talk.ask("POST", path, {"approved": False, "stream": False})
    assert declined["tool_calls"][0]["status"] == "declined"
    assert "The person declined" in talk.model.texts[-1]
    liked = {"tool": "create_interaction", "arguments": {"document": "D1", "interaction_type": "positive_feedback"}}
    waiting = await talk.tell(session, "I like it", liked)
    confirmation = waiting["pending_confirmation"]["confirmation_id"]
    await talk.tell(session, "Never mind", say("Well."))
    assert [one["status"] for one in await talk.history(session)][-5:] == [
        "complete", "lapsed", "cut", "complete", "complete",
    ]  # fmt: skip
    path = f"agents/sessions/{session}/confirmations/{confirmation}"
    await talk.ask("POST", path, {"approved": True, "stream": False}, 404)
    assert "lost" not in await talk.ask("GET", f"collections/goods/documents/{LAMP}")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([{"tool": "execute_retriever", "arguments": {"retriever": 5, "more": 1}}], "retriever"),
        ([run("others", kind="shoe")], "there is no retriever 'others' in this session; there is goods"),
        ([run(kind=5)], "kind"),
        ([run()], "kind"),
        ([{"tool": "get_document", "arguments": {"document": BOOTS}}], "document"),
        ([{"tool": "get_document", "arguments": {"document": "D5"}}], "no tool has brought"),
    ],
)
async def test_a_bad_call_is_refused_in_words_and_the_model_goes_on(talk: Talk, script: list[Any], error: str) -> None:
    session = await talk.session()
    answer = await talk.tell(session, "Shoes?", *script, say("I could not find any."))
    assert (answer["status"], answer["content"]) == ("complete", "I could not find any.")
    (call,) = answer["tool_calls"]
    assert call["status"] == "failed"
    assert error in call["output"]
    assert error in talk.model.texts[-1]


@pytest.mark.parametrize("choice", [{"tool": "drop_everything", "arguments": {}}, update("D1", kind="x")])
async def test_a_tool_that_the_session_has_not_is_no_choice(talk: Talk, choice: Any) -> None:
    session = await talk.session()
    answer = await talk.tell(session, "Shoes?", choice, say("I will not."))
    assert (answer["status"], answer["content"], answer["tool_calls"]) == ("complete", "I will not.", [])
    assert "did not fit the schema" in talk.model.texts[-1]


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        (["no json", "again none"], "failed", "does not fit the schema, asked twice"),
        ([Fault(500)], "failed", "answered 500"),
        ([Fault(200, breaks_off=True, body="{}")], "failed", "could not be asked"),
    ],
)
async def test_a_model_that_fails_leaves_an_answer_that_says_so(
    talk: Talk, script: list[Any], status: str, reason: str
) -> None:
    session = await talk.session()
    answer = await talk.tell(session, "Shoes?", *script)
    assert (answer["status"], answer["content"]) == (status, "")
    assert reason in answer["reason"]
    assert (await talk.tell(session, "And now?", say("Here I am.")))["content"] == "Here I am."


async def test_endless_loops_stalls_and_quotas_cut_an_answer(talk: Talk) -> None:
    endless = await talk.session(max_steps=3)
    looped = await talk.tell(endless, "Shoes?", run(kind="shoe"), run(kind="shoe"), run(kind="shoe"), run(kind="shoe"))
    talk.model.script.clear()
    assert (looped["status"], len(looped["tool_calls"])) == ("failed", 2)  # the third answer had to be final
    stalled = await talk.session(timeout_seconds=1)
    answer = await talk.tell(stalled, "Shoes?", Fault(wait_s=1.5))
    assert (answer["status"], answer["reason"]) == ("cut", "the time for one message was over")
    calls = await talk.session(quotas={"max_tool_calls": 1})
    answer = await talk.tell(calls, "Shoes?", run(kind="shoe"), run(kind="light"))
    assert (answer["status"], answer["reason"]) == ("cut", "the session's max_tool_calls was met")
    tokens = await talk.session(quotas={"max_tokens_total": 100})
    answer = await talk.tell(tokens, "Shoes?", run(kind="shoe"))
    assert (answer["status"], answer["reason"]) == ("cut", "the session's max_tokens_total was met")
    refused = await talk.tell(tokens, "Again?", status=409)
    assert refused["error"]["type"] == "SessionSpentError"
    assert refused["error"]["details"]["quota"] == "max_tokens_total"
    once = await talk.session(quotas={"max_messages": 1, "rate_limit_messages_per_minute": 2})
    await talk.tell(once, "Shoes?", say("None."))
    assert (await talk.tell(once, "Again?", status=409))["error"]["details"]["quota"] == "max_messages"
    assert (await talk.tell(once, "Again?", status=429))["error"]["details"]["subject"] == "session"


async def test_credits_bound_a_session_and_are_charged(talk: Talk) -> None:
    async def charged() -> float:
        spent = await talk.system.backends.metadata.read(
            lambda session: session.credits.spent(Principal(session.every_namespace()[0][0].organization_id))
        )
        return sum(one.credits for one in spent if one.operation == "conversation")

    before = await charged()
    free = await talk.session(max_tokens=100)
    answer = await talk.tell(free, "Shoes?", say("None."))
    assert answer["credits_used"] == pytest.approx(answer["tokens_used"] / 1000)
    assert await charged() - before == pytest.approx(answer["credits_used"])
    poor = await talk.session(quotas={"max_credits": 0.5})
    answer = await talk.tell(poor, "Shoes?")
    assert (answer["status"], answer["reason"]) == ("cut", "the session's max_credits were met")
    assert (answer["credits_used"], (await talk.ask("GET", f"agents/sessions/{poor}"))["stats"]["total_credits"]) == (
        0,
        0,
    )


async def test_an_execution_that_fails_is_paid_by_its_session(talk: Talk) -> None:
    """The first stage had been done, and was charged, before the second failed."""
    parameters = {"template": "{{ DOC.nothing.within }}", "fail_on_error": True}
    reshape = {"stage_name": "reshape", "config": {"stage_id": "json_transform", "parameters": parameters}}
    await talk.ask("POST", "retrievers", {
        "retriever_name": "failing", "collection_identifiers": ["goods"], "stages": [OF_KIND, reshape],
        "input_schema": INPUTS,
    })  # fmt: skip
    session = await talk.session(retrievers=["failing"])
    answer = await talk.tell(session, "Shoes?", run("failing", kind="shoe"), say("None."))
    assert ([one["status"] for one in answer["tool_calls"]], len(answer["executions"])) == (["failed"], 1)
    assert answer["credits_used"] == pytest.approx(answer["tokens_used"] / 1000 + 0.25)
    stats = (await talk.ask("GET", f"agents/sessions/{session}"))["stats"]
    assert stats["total_credits"] == pytest.approx(answer["credits_used"])


async def test_two_messages_at_once_and_a_caller_who_leaves(talk: Talk) -> None:
    session = await talk.session()
    talk.model.script.extend([run(kind="shoe"), Fault(wait_s=1.0)])
    first = asyncio.create_task(talk.tell(session, "Shoes?"))
    begun = len(talk.model.requests)
    await until(lambda: len(talk.model.requests) >= begun + 2)
    refused = await talk.tell(session, "And lamps?", status=409)
    assert "is being answered" in refused["error"]["message"]
    first.cancel()
    await asyncio.wait([first])
    history = await talk.history(session)
    assert [(one["role"], one["status"], one["content"]) for one in history] == [
        ("user", "complete", "Shoes?"), ("tool", "complete", ""), ("assistant", "cancelled", ""),
    ]  # fmt: skip
    assert (await talk.tell(session, "And lamps?", say("A lamp.")))["status"] == "complete"


async def test_a_session_that_ends_ends_its_answer(talk: Talk) -> None:
    session = await talk.session()
    talk.model.script.extend([Fault(200, body="{}", wait_s=0.3)])
    begun = len(talk.model.requests)
    first = asyncio.create_task(talk.send("POST", f"agents/sessions/{session}/messages", {"content": "Shoes?"}))
    await until(lambda: len(talk.model.requests) > begun)
    ended = await talk.ask("DELETE", f"agents/sessions/{session}")
    assert ended["status"] == "terminated"
    assert "event: error" in (await first).text
    assert [one["status"] for one in await talk.history(session)] == ["complete", "cancelled"]
    assert "is terminated" in (await talk.tell(session, "More?", status=409))["error"]["message"]
    await talk.ask("PATCH", f"agents/sessions/{session}", {"user_memory": {}}, 409)
    await talk.ask("DELETE", f"agents/sessions/{session}?forget=true")
    await talk.ask("GET", f"agents/sessions/{session}", status=404)


async def test_feedback_and_memory_shape_what_the_model_is_told(talk: Talk) -> None:
    session = await talk.session()
    good = await talk.tell(session, "First?", say("The first answer."))
    bad = await talk.tell(session, "Second?", say("The second answer."))
    path = f"agents/sessions/{session}/feedback"
    assert (await talk.ask("POST", path, {"message_id": good["message_id"], "rating": "positive"}))["stored"] is True
    assert (await talk.ask("POST", path, {"message_id": bad["message_id"], "rating": "negative"}))["stored"] is False
    await talk.ask("PATCH", f"agents/sessions/{session}", {"user_memory": {"language": "Breton"}})
    await talk.tell(session, "Third?", say("The third answer."))
    told = talk.model.texts[-1]
    assert ("The first answer." in told, "The second answer." in told, "Breton" in told) == (True, False, True)
    question = (await talk.history(session))[0]["message_id"]
    refused = await talk.ask("POST", path, {"message_id": question, "rating": "positive"}, 422)
    assert refused["detail"][0]["loc"] == ["body", "message_id"]
    await talk.ask("POST", path, {"message_id": "msg_none", "rating": "positive"}, 404)
    await talk.ask("POST", path, {"message_id": question, "rating": "soso"}, 422)


async def test_a_key_to_one_retriever_has_that_one_alone(talk: Talk) -> None:
    others = (await talk.ask("GET", "retrievers/others"))["retriever_id"]
    scope = {"resource_type": "retriever", "resource_id": others}
    body = {"name": "narrow", "permissions": ["read"], "scopes": [scope]}
    narrow = (await talk.ask("POST", f"organizations/users/{ADMIN}/api-keys", body))["key"]
    mine = await talk.session()
    for path in (f"agents/sessions/{mine}", f"agents/sessions/{mine}/history"):
        await talk.ask("GET", path, status=404, key=narrow)
    await talk.tell(mine, "Hello?", status=404, key=narrow)
    refused = await talk.ask("POST", "agents/sessions", {"agent_config": {"retrievers": ["goods"]}}, 422, narrow)
    assert refused["detail"][0]["loc"] == ["body", "agent_config", "retrievers", 0]
    theirs = (await talk.ask("POST", "agents/sessions", {"agent_config": {}}, key=narrow))["session_id"]
    answer = await talk.tell(theirs, "Shoes?", run("goods", kind="shoe"), say("None."), key=narrow)
    assert [one["status"] for one in answer["tool_calls"]] == ["failed"]
    assert "get_document" not in talk.model.texts[-1]
    answer = await talk.tell(theirs, "Shoes?", run("others", kind="shoe"), say("Boots [D1]."), key=narrow)
    assert answer["citations"][0]["document_id"] == BOOTS
    listed = await talk.ask("POST", "agents/sessions/list", {}, key=narrow)
    assert [one["session_id"] for one in listed["sessions"]] == [theirs]
    await talk.ask("DELETE", f"agents/sessions/{theirs}?forget=true", status=403, key=narrow)
    # One who sees the namespace goes on with it, by rights of his own.
    answer = await talk.tell(theirs, "Shoes?", run("goods", kind="shoe"), say("Boots [D1]."))
    assert answer["status"] == "complete"


async def test_sessions_are_listed_and_bad_ones_refused_by_field(talk: Talk) -> None:
    session = await talk.session()
    await talk.tell(session, "A listed one", say("Yes."))
    page = await talk.ask("POST", "agents/sessions/list?limit=1", {"status": "active", "search": "A listed one"})
    assert (page["total"], page["sessions"][0]["session_id"]) == (1, session)
    plain = await talk.ask("POST", "agents/sessions/list?limit=2")
    assert (len(plain["sessions"]), plain["pagination"]["total"]) == (2, plain["total"])
    assert (await talk.ask("POST", "agents/sessions/list", {"status": "archived"}))["total"] == 0
    for config, place in (
        ({"available_tools": ["drop"]}, ["available_tools", 0]),
        ({"retrievers": ["nothing"]}, ["retrievers", 0]),
        ({"temperature": 3}, ["temperature"]),
        ({"max_steps": 0}, ["max_steps"]),
        ({"api_key": "sk-a key in the clear"}, ["api_key"]),
    ):
        refused = await talk.ask("POST", "agents/sessions", {"agent_config": config}, 422)
        assert refused["detail"][0]["loc"] == ["body", "agent_config", *place]
    await talk.ask("POST", "agents/sessions", {"agent_config": {"provider": "nobody"}}, 422)
    await talk.ask("POST", f"agents/sessions/{session}/messages", {"content": ""}, 422)
    tools = await talk.ask("GET", "agents/sessions/tools?category=update")
    assert [(one["name"], one["requires_confirmation"]) for one in tools["results"]] == [("update_document", True)]
