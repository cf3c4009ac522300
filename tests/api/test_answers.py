"""An answer whose documents stand there twice is, byte for byte, what writing it whole gives."""

from typing import Any

import pytest

from tamis.api.answers import executed_response, json_response

DOCUMENTS = [{"document_id": "d1", "score": 0.1 + 0.2, "metadata": {"title": "Größe \u2028", "n": [1, None, True]}}]


@pytest.mark.parametrize(
    "shown",
    [
        {"execution_id": "exec_1", "documents": DOCUMENTS, "results": DOCUMENTS, "error": None},
        {"documents": DOCUMENTS},
        {"documents": [], "results": []},
        {"documents": [{"n": 2**70}], "results": [{"n": 2**70}]},
        {"documents": DOCUMENTS, "results": DOCUMENTS, "budget": {"n": 2**70}},
    ],
    ids=["twice", "once", "none", "a long number in a document", "a long number elsewhere"],
)
def test_written_once_or_twice(shown: dict[str, Any]) -> None:
    headers = {"X-Execution-Mode": "anonymous"}
    whole, once = json_response(shown, headers), executed_response(shown, headers)
    assert once.body == whole.body
    assert once.headers == whole.headers
