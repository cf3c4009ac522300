"""A search's query on the wire: a text, a vector, a document, content, or several contents."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, Discriminator, Field, Tag

from tamis.engine.contents.contents import REMOTE
from tamis.engine.parameters import StageParameters
from tamis.engine.querying.queries import ContentQuery, DocumentQuery, MultiQuery, Query, TextQuery, VectorQuery


class TextInput(StageParameters):
    """Plain text, also where it looks like a URL."""

    input_mode: Literal["text"] = "text"
    value: str | None = Field(None, validation_alias=AliasChoices("value", "text"), description="The text.")
    embedding_task: str | None = Field(None, description="Accepted; the models at hand take no instruction.")

    def query(self) -> Query | None:
        return TextQuery(self.value) if self.value and self.value.strip() else None


class SparseTerms(StageParameters):
    """A sparse vector: term `indices[i]` weighs `values[i]`."""

    indices: list[int] = Field(min_length=1, description="Numbers of terms, 0 to 2**32 - 1.")
    values: list[float] = Field(min_length=1, description="Their weights, one each.")


class VectorInput(StageParameters):
    """A vector of the feature's own model."""

    input_mode: Literal["vector"] = "vector"
    value: list[Any] | SparseTerms | str | None = Field(
        None, description="Numbers, rows of numbers, or {indices, values} of a sparse vector; or the JSON text of one."
    )

    def query(self) -> Query | None:
        if isinstance(self.value, SparseTerms):
            return VectorQuery(self.value.model_dump())
        return VectorQuery(self.value) if self.value else None


class DocumentReference(StageParameters):
    document_id: str | None = Field(None, description="The document whose stored vector is the query.")
    collection_id: str | None = Field(None, description="Where it is; any collection of the namespace if omitted.")


class DocumentInput(StageParameters):
    """What is like this document. The document itself is among the answers where it matches."""

    input_mode: Literal["document"] = "document"
    document_ref: DocumentReference

    def query(self) -> Query | None:
        reference = self.document_ref
        return DocumentQuery(reference.document_id, reference.collection_id) if reference.document_id else None


class Content(StageParameters):
    url: str | None = Field(None, description="A data: URI, an address on the web, or a stored blob:// file.")
    base64: str | None = Field(None, description="The bytes, with or without a data: URI around them.")


class ContentInput(StageParameters):
    """A file as the query: a text, or a picture, a sound or a video that is an example of what is sought."""

    input_mode: Literal["content"] = "content"
    value: str | list[str] | None = Field(
        None, description="A data: URI, base64, a URL, a blob:// file or an object's id."
    )
    content: Content | None = Field(None, description="The same, said apart.")

    def query(self) -> Query | None:
        if self.content is not None and self.value is None:
            given, encoded = self.content.base64 or self.content.url, bool(self.content.base64)
            return ContentQuery((given,), encoded) if given else None
        values = [self.value] if isinstance(self.value, str) else self.value or []
        contents = tuple(value for value in values if value)
        return ContentQuery(contents) if contents else None


class MultiContentInput(StageParameters):
    """Texts and files that together are one query."""

    input_mode: Literal["multi_content"] = "multi_content"
    values: list[str | None] = Field(min_length=1, description="Texts, data: URIs and stored files.")

    def query(self) -> Query | None:
        values = tuple(value for value in self.values if value and value.strip())
        return MultiQuery(values) if values else None


_OF_FILES = ("content", "multi_content")


def _mode(raw: Any) -> str | None:
    """Which form a query has; one that does not say is told by its keys."""
    if isinstance(raw, str):
        return "string"
    if isinstance(raw, list):
        return "numbers"
    if not isinstance(raw, dict):
        return getattr(raw, "input_mode", None)
    if isinstance(raw.get("input_mode"), str):
        return str(raw["input_mode"])
    for key, mode in (("document_ref", "document"), ("values", "multi_content"), ("content", "content")):
        if key in raw:
            return mode
    return "vector" if isinstance(raw.get("value"), list | dict) else "text"


QueryInput: TypeAlias = Annotated[
    Annotated[str, Tag("string")]
    | Annotated[list[Any], Tag("numbers")]
    | Annotated[TextInput, Tag("text")]
    | Annotated[VectorInput, Tag("vector")]
    | Annotated[DocumentInput, Tag("document")]
    | Annotated[ContentInput, Tag("content")]
    | Annotated[MultiContentInput, Tag("multi_content")],
    Discriminator(
        _mode,
        custom_error_type="query_form",
        custom_error_message="a query is a text, or an object whose input_mode is text, vector, document, content or "
        "multi_content",
    ),
]


def query_of(given: QueryInput | None) -> Query | None:
    """The query, or None where there is nothing in it to search with."""
    if given is None:
        return None
    if isinstance(given, str):
        return TextInput(value=given).query()
    if isinstance(given, list):
        return VectorInput(value=given).query()
    return given.query()


def fetches(parameters: Mapping[str, Any]) -> bool:
    """Whether a search that is written so gets its query from the web; what a template becomes is not known yet."""
    searches = parameters.get("searches")
    queries = [one.get("query") for one in searches if isinstance(one, dict)] if isinstance(searches, list) else []
    return any(_lies_outside(query) for query in queries if isinstance(query, dict) and _mode(query) in _OF_FILES)


def _lies_outside(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_lies_outside(value.get(key)) for key in ("value", "values", "content", "url"))
    if isinstance(value, list):
        return any(_lies_outside(one) for one in value)
    return isinstance(value, str) and value.startswith(REMOTE)
