"""A server that is killed in the midst of an answer tells it as interrupted, never as whole."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.live import LiveServer
from tests.llm_server import Fault, serving

NO_TOOL = {"tool": "list_retrievers", "arguments": {}}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_answer_across_a_kill_and_a_reader_who_leaves(tmp_path: Path) -> None:
    with (
        serving() as model,
        LiveServer(tmp_path / "data", TAMIS_LLM_BASE_URL=model.url, TAMIS_LLM_MODEL="m") as server,
        httpx.Client(headers={"Authorization": f"Bearer {server.key}", "X-Namespace": "default"}) as http,
    ):

        def ask(method: str, path: str, body: Any = None) -> Any:
            answer = http.request(method, f"{server.url}/v1/agents/sessions{path}", json=body, timeout=60)
            assert answer.is_success, answer.text
            return answer.json()

        def said(session: str) -> list[tuple[str, str, str]]:
            messages = ask("GET", f"/{session}/history")["messages"]
            return [(one["role"], one["status"], one["content"]) for one in messages]

        left, killed = (ask("POST", "", {"agent_config": {}})["session_id"] for _ in range(2))

        # Who closes the stream cancels what the model is still asked.
        model.script.extend([NO_TOOL, Fault(wait_s=20)])
        url = f"{server.url}/v1/agents/sessions/{left}/messages"
        with http.stream("POST", url, json={"content": "Hello?"}, timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line == "event: tool_result")
            until(lambda: len(model.requests) == 2)
        until(lambda: said(left)[-1] == ("assistant", "cancelled", ""))

        model.script.extend([NO_TOOL, Fault(wait_s=20)])
        sending = threading.Thread(target=_sent, args=(f"{server.url}/v1/agents/sessions/{killed}/messages", http))
        sending.start()
        until(lambda: len(model.requests) == 4)
        assert ask("GET", f"/{killed}")["state"] == "answering"
        server.kill()
        sending.join()
        server.start()
        until(lambda: said(killed)[-1][0] == "assistant")
        assert said(killed) == [
            ("user", "complete", "Hello?"), ("tool", "complete", ""), ("assistant", "interrupted", ""),
        ]  # fmt: skip
        assert ask("GET", f"/{killed}")["stats"]["total_tool_calls"] == 1
        model.script.append({"tool": "finish", "answer": {"text": "Here again."}})
        answer = ask("POST", f"/{killed}/messages", {"content": "And now?", "stream": False})
        assert (answer["status"], answer["content"]) == ("complete", "Here again.")


def _sent(url: str, http: httpx.Client) -> None:
    try:
        http.post(url, json={"content": "Hello?", "stream": False}, timeout=60)
    except httpx.HTTPError:
        return
    raise AssertionError("the server that was killed answered")
