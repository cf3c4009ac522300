"""Text in, chunks out, each with a dense vector of its meaning and a sparse one of its words."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from tamis.engine.contents.text_features import SPECIAL_TOKENS, storable, text_features, text_vectors
from tamis.engine.ports.extraction import Cost, ExtractionFailure, Segment, SourceItem
from tamis.engine.ports.inference import Embedder, ModelInfo, Models
from tamis.engine.text.charsets import decoded
from tamis.engine.text.chunks import DEFAULT_SIZES, Chunking, chunk
from tamis.engine.text.sentences import Span
from tamis.errors import ModelMissingError, UnknownModelError, ValidationError
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec, MultiDense, VectorKind

_TOKENS = "token_vectors"
_MOST_CHUNKS = 20_000

SplitBy = Literal["none", "tokens", "sentences", "paragraphs", "pages", "words", "characters"]
_SPLIT_NAMES = {
    "token": "tokens", "fixed": "tokens", "fixed_window": "tokens", "window": "tokens", "sentence": "sentences",
    "paragraph": "paragraphs", "page": "pages", "word": "words", "character": "characters", "char": "characters",
}  # fmt: skip
_STRATEGY_NAMES = ("chunk_strategy", "chunking_strategy", "chunking")
_NEEDS_A_LANGUAGE_MODEL = ("response_shape", "llm_provider", "llm_model")


class TextParameters(BaseModel):
    """How a text falls into chunks, and which model reads them."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    split_by: SplitBy = Field(
        "none",
        description="What chunks are counted in. 'tokens' are the embedding model's own; 'none' keeps the text whole.",
    )
    chunk_strategy: SplitBy | None = Field(
        None,
        validation_alias=AliasChoices(*_STRATEGY_NAMES),
        description="Like split_by, but chunk_size and chunk_overlap count tokens and whole sentences or paragraphs "
        "are packed within them.",
    )
    chunk_size: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Units in a chunk: of split_by, or tokens with chunk_strategy. In tokens, at most the model's "
        "window. Default: 128 tokens, 1 sentence, 1 paragraph, 1 page, 100 words, 1000 characters.",
    )
    chunk_overlap: int = Field(0, ge=0, description="Units that consecutive chunks share; less than chunk_size.")
    language: str | None = Field(
        None, description="Language of the texts (such as 'de') for the lexical feature; detected where not given."
    )
    model: str | None = Field(
        None,
        validation_alias=AliasChoices("model", "embedding_model"),
        description="Embedding model by name; the server's default where not given.",
    )
    token_vectors: bool = Field(
        False,
        description="Also store a vector for each token, for maxsim_rerank; each takes an embedding's space.",
    )
    token_model: str | None = Field(
        None,
        description="Late-interaction model by name for token_vectors; the tokens of the embedding model where not "
        "given.",
    )

    @model_validator(mode="before")
    @classmethod
    def _understand(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        given = {name: value for name, value in raw.items() if value is not None}
        _refuse_unknown(given)
        for name in ("split_by", *_STRATEGY_NAMES):
            if isinstance(given.get(name), str):
                plain = given[name].strip().lower()
                given[name] = _SPLIT_NAMES.get(plain, plain)
        return given

    @model_validator(mode="after")
    def _fits(self) -> "TextParameters":
        if self.chunk_strategy is not None and self.split_by not in ("none", self.chunk_strategy):
            raise ValueError("give split_by or chunk_strategy, not two that differ")
        if self.is_chunked and self.chunk_overlap >= self._size:
            raise ValueError(f"chunk_overlap ({self.chunk_overlap}) must be less than chunk_size ({self._size})")
        return self

    @property
    def late_interaction(self) -> str | None:
        """The model of the token vectors; None is the default one's tokens."""
        own = f"{self.model}#tokens" if self.model is not None else None
        return self.token_model or own

    @property
    def is_chunked(self) -> bool:
        return self._by != "none"

    @property
    def _by(self) -> str:
        return self.chunk_strategy or self.split_by

    @property
    def _is_packed(self) -> bool:
        return self.chunk_strategy in ("sentences", "paragraphs") and self.chunk_size is not None

    @property
    def _size(self) -> int:
        return self.chunk_size or DEFAULT_SIZES.get(self._by, 1)

    def chunking(self, window: int) -> Chunking:
        """window: tokens of text that the model reads; a chunk counted in tokens is never longer."""
        size, overlap = self._size, self.chunk_overlap
        if (self._by == "tokens" or self._is_packed) and size > window:
            size, overlap = window, overlap * window // size
        return Chunking(self._by, size, overlap, self._is_packed)


@dataclass(frozen=True, slots=True)
class _Chunked:
    text: str
    spans: list[Span]


class TextExtractor:
    """text_extractor@v1.

    Vectors: `embedding`, dense and of unit length, of the first tokens that the model's window holds; `lexical`, BM25
    weights of every word of the chunk. models: where a collection may name another model, to ask how long its rows are.
    """

    name: ClassVar[str] = "text_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Dense and lexical features of text, whole or in chunks with their offsets."
    icon: ClassVar[str] = "file-text"
    supported_input_types: ClassVar[tuple[str, ...]] = ("text", "string")
    max_inputs: ClassVar[Mapping[str, int]] = {"text": 1}
    limits: ClassVar[Mapping[str, float]] = {"chunks": _MOST_CHUNKS}
    cost: ClassVar[Cost] = Cost(2, "one pass of the text model for each chunk")
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "The text, or a list of texts to be read as one."}},
        "required": ["text"],
    }
    is_repeatable: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = TextParameters

    def __init__(self, models: Models | None = None) -> None:
        self._models = models

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        chosen = cast(TextParameters, parameters)
        return (*text_features(self._models, chosen.model), *self._token_features(chosen))

    def _token_features(self, chosen: TextParameters) -> tuple[FeatureSpec, ...]:
        if not chosen.token_vectors:
            return ()
        if self._models is None:
            raise ModelMissingError("token_vectors needs a model, and there is none here", model=chosen.token_model)
        try:
            info = self._models.late_interaction(chosen.late_interaction).info
        except UnknownModelError as unknown:
            place = ["body", "feature_extractor", "parameters", "token_model"]
            raise ValidationError.at([*place], unknown.message) from unknown
        return (
            FeatureSpec(
                name=_TOKENS,
                kind=VectorKind.MULTI_DENSE,
                dimensions=info.dimensions,
                inference_name=info.name,
                aliases=("late_interaction", "colbert", "text_extractor_v1_token_vectors"),
                description=f"A vector of {info.dimensions} numbers for each token, for late interaction.",
            ),
        )

    def made_with(self, parameters: BaseModel, models: Models) -> Sequence[ModelInfo]:
        """Raises: ModelMissingError."""
        chosen = cast(TextParameters, parameters)
        tokens = (models.late_interaction(chosen.late_interaction).info,) if chosen.token_vectors else ()
        return (models.embedder(chosen.model).info, *tokens)

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        properties: dict[str, JSON] = {"text": {"type": "text", "description": "The text, or this chunk of it."}}
        if cast(TextParameters, parameters).is_chunked:
            for name, meaning in _CHUNK_FIELDS.items():
                properties[name] = {"type": "integer", "description": meaning}
        return {"properties": properties}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        """Chunk every item, then embed the chunks of all of them in one call. Cost: one model pass a chunk."""
        chosen = cast(TextParameters, parameters)
        embedder = models.embedder(chosen.model)
        read = [_read(item, chosen, embedder) for item in items]
        texts = [text[start:end] for text, spans in _good(read) for start, end in spans]
        segments = iter(_segments(read, texts, models, chosen))
        return [
            outcome if isinstance(outcome, ExtractionFailure) else [next(segments) for _ in outcome.spans]
            for outcome in read
        ]


_CHUNK_FIELDS = {
    "chunk_index": "Place of this chunk among those of its source, from 0.",
    "chunk_count": "How many chunks its source has.",
    "start_char": "Where the chunk begins in the source's text, in characters.",
    "end_char": "Where it ends.",
}


def _good(read: Sequence[_Chunked | ExtractionFailure]) -> list[tuple[str, list[Span]]]:
    return [(outcome.text, outcome.spans) for outcome in read if isinstance(outcome, _Chunked)]


def _segments(
    read: Sequence[_Chunked | ExtractionFailure],
    texts: Sequence[str],
    models: Models,
    parameters: TextParameters,
) -> list[Segment]:
    if not texts:
        return []
    vectors = text_vectors(texts, models, parameters.model, parameters.language)
    tokens = models.late_interaction(parameters.late_interaction) if parameters.token_vectors else None
    token_rows = iter(tokens.embed_documents(texts) if tokens is not None else ())
    places = [(place, spans) for _, spans in _good(read) for place in range(len(spans))]
    segments = []
    for text, made, (place, spans) in zip(texts, vectors, places, strict=True):
        fields: dict[str, JSON] = {"text": text}
        if parameters.is_chunked:
            start, end = spans[place]
            fields |= {"chunk_index": place, "chunk_count": len(spans), "start_char": start, "end_char": end}
        if tokens is not None:
            made[_TOKENS] = MultiDense(next(token_rows))
        segments.append(Segment(fields, made))
    return segments


def _read(item: SourceItem, parameters: TextParameters, embedder: Embedder) -> _Chunked | ExtractionFailure:
    try:
        text = storable(_text_of(item))
    except ValueError as problem:
        return ExtractionFailure(str(problem))
    spans = chunk(text, parameters.chunking(embedder.info.max_tokens - SPECIAL_TOKENS), embedder.spans)
    if len(spans) > _MOST_CHUNKS:
        return ExtractionFailure(f"the text falls into {len(spans)} chunks, more than {_MOST_CHUNKS}")
    return _Chunked(text, spans) if spans else ExtractionFailure("the input 'text' is empty")


def _text_of(item: SourceItem) -> str:
    """Raises: ValueError saying what is wrong with the input."""
    if "text" in item.files:
        file = item.files["text"]
        return decoded(file.path.read_bytes(), file.declared_type)
    value = item.inputs.get("text")
    if value is None:
        raise ValueError("the input 'text' is missing: the source has no value where input_mappings points")
    if isinstance(value, list):
        return "\n\n".join(_plain(part) for part in value)
    return _plain(value)


def _plain(value: JSON) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"the input 'text' must be a string or a list of strings, not {type(value).__name__}")


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    known = [*TextParameters.model_fields, *_STRATEGY_NAMES, "embedding_model"]
    for name in given:
        if name in _NEEDS_A_LANGUAGE_MODEL:
            raise ValueError(f"{name!r} asks for a language model, which this version of text_extractor does not call")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(TextParameters.model_fields)}"
            raise ValueError(f"unknown parameter {name!r}; {hint}")
