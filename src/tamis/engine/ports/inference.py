"""Models: text, pictures and sound to vectors, speech to text.

Calls block and release the GIL; callers run them on worker threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tamis.model.media_sound import Transcript
from tamis.model.vector import FloatArray, Sparse

Pixels: TypeAlias = NDArray[np.uint8]
"""A picture: uint8 [height, width, 3], red, green, blue."""
Samples: TypeAlias = NDArray[np.float32 | np.int16]
"""Sound: [n], mono, 16 kHz; float32 in -1..1, or int16, which may be a memory map."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What answers `which model made this`: `version` is the weights' content hash, shortened."""

    name: str
    version: str
    dimensions: int
    max_tokens: int
    license: str
    provider: str = "tamis"


class Embedder(Protocol):
    info: ModelInfo

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, dim], unit rows. Texts beyond `max_tokens` are cut there. Cost: one model pass a row."""
        ...

    def embed_query(self, text: str) -> FloatArray:
        """float32 [dim], unit length."""
        ...

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Character span of each of the model's own tokens, special tokens left out."""
        ...


class CrossEncoder(Protocol):
    """Reads a query and a text together."""

    info: ModelInfo

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        """float32 [n], higher is better; how relevant each text is. Cost: one model pass a text."""
        ...


class TokenEmbedder(Protocol):
    """One vector for each token: what late interaction compares."""

    info: ModelInfo

    def embed_documents(self, texts: Sequence[str]) -> Sequence[FloatArray]:
        """Of each text float32 [tokens, dim], unit rows."""
        ...

    def embed_query(self, text: str) -> FloatArray:
        """float32 [tokens, dim], unit rows."""
        ...


class VisualEmbedder(Protocol):
    """Looks at pictures."""

    info: ModelInfo

    def embed_images(self, images: Sequence[Pixels]) -> FloatArray:
        """float32 [n, dim], unit rows."""
        ...


@runtime_checkable
class JointEmbedder(VisualEmbedder, Protocol):
    """Puts a text where the pictures are that it describes."""

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, dim], unit rows of the pictures' space."""
        ...


class LexicalEncoder(Protocol):
    """Text to BM25 term weights; the index multiplies a query's by inverse document frequency."""

    version: str

    def encode_document(self, text: str, language: str | None = None) -> Sparse: ...
    def encode_query(self, text: str, language: str | None = None) -> Sparse: ...


class Transcriber(Protocol):
    """languages: the codes that it understands."""

    info: ModelInfo
    languages: tuple[str, ...]

    def transcribe(self, samples: Samples, language: str | None = None) -> Transcript:
        """What is said, found by voice activity; a memory map is read piece by piece.

        Detects the language where none is given. Raises: UnknownModelError where the model does not understand it.
        """
        ...


class AcousticDescriber(Protocol):
    """Whole sounds to vectors; those that sound alike are near each other."""

    info: ModelInfo

    def describe(self, samples: Samples) -> FloatArray:
        """float32 [dim], unit length."""
        ...


@dataclass(frozen=True, slots=True)
class ReadText:
    """A line of text in a picture. left, top, right, bottom: in pixels, y down.  confidence: 0..1."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float


class TextReader(Protocol):
    """Reads text in pictures."""

    info: ModelInfo

    def read(self, pixels: Pixels) -> Sequence[ReadText]:
        """The lines, in no order that means anything."""
        ...


class Models(Protocol):
    """The models at hand, loaded once and kept."""

    def embedder(self, name: str | None = None) -> Embedder:
        """The default where no name is given; names of the contract are aliases. Raises: ModelMissingError."""
        ...

    def lexical(self) -> LexicalEncoder: ...

    def cross_encoder(self, name: str) -> CrossEncoder:
        """By any spelling of its name. Raises: ModelMissingError, which says how to get it."""
        ...

    def late_interaction(self, name: str | None = None) -> TokenEmbedder:
        """The default text model's own tokens where no name is given. Raises: ModelMissingError."""
        ...

    def visual(self, name: str | None = None) -> VisualEmbedder:
        """What looks at pictures; one that reads texts too is a JointEmbedder. Raises: ModelMissingError."""
        ...

    def transcriber(self, name: str | None = None) -> Transcriber:
        """The default where no name is given. Raises: ModelMissingError, which says how to get it."""
        ...

    def acoustic(self) -> AcousticDescriber: ...

    def ocr(self) -> TextReader:
        """What reads text in pictures. Raises: ModelMissingError, which says how to get it."""
        ...

    def available(self) -> Sequence[ModelInfo]:
        """The text embedding models that can be used at once."""
        ...
