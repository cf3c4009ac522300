"""What an execution returned as texts with what is known of them."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.client import Document, Execution

_TEXT_FIELDS = ("text", "content", "body", "description", "title")
_BESIDE = ("metadata", "scores")


@dataclass(frozen=True, slots=True)
class Passage:
    """metadata: the fields besides the text, with `document_id`, `score` and the `execution_id` that returned it."""

    document_id: str
    text: str
    score: float
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """How a text becomes a retriever's inputs, and which field of a document is its text.

    query_input: the input that it is.  inputs, filters: what is sent besides.  text_field: as `page.text`; None: the
    first of text, content, body, description and title that is there and not blank.
    """

    query_input: str = "query"
    inputs: Mapping[str, Any] | None = None
    filters: Mapping[str, Any] | None = None
    text_field: str | None = None

    def body(self, query: str) -> dict[str, Any]:
        """Of the request that executes a retriever."""
        inputs = {**(self.inputs or {}), self.query_input: query}
        return {"inputs": inputs} | ({"filters": dict(self.filters)} if self.filters else {})

    def passages(self, execution: Execution) -> list[Passage]:
        """A warning says where no document has the text_field: whoever reads them would read nothing."""
        found = [self._passage(execution, document) for document in execution]
        if self.text_field and found and not any(one.text for one in found):
            names = sorted({name for document in execution for name in document} - {*_BESIDE})
            told = f"no document of {execution.execution_id} has a text in {self.text_field!r} (text_field)"
            warnings.warn(f"{told}; they have {', '.join(names)}", stacklevel=2)
        return found

    def _passage(self, execution: Execution, document: Document) -> Passage:
        path = self.text_field or next((name for name in _TEXT_FIELDS if _is_text(document.get(name))), "")
        fields = {name: value for name, value in document.items() if name not in (*_BESIDE, path) and value is not None}
        known = {**fields, "execution_id": execution.execution_id}
        return Passage(document.document_id, _text(document, path.split(".")), document.score, known)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _text(value: Any, path: Sequence[str]) -> str:
    """Empty where nothing is there."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
