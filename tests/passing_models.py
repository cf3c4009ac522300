"""`Models` that pass on what they are asked: what one wants to see or change of them is overridden."""

from collections.abc import Sequence

from tamis.engine.ports.inference import (
    AcousticDescriber,
    CrossEncoder,
    Embedder,
    LexicalEncoder,
    ModelInfo,
    Models,
    TextReader,
    TokenEmbedder,
    Transcriber,
    VisualEmbedder,
)


class PassingModels:
    def __init__(self, inner: Models) -> None:
        self._inner = inner

    def embedder(self, name: str | None = None) -> Embedder:
        return self._inner.embedder(name)

    def lexical(self) -> LexicalEncoder:
        return self._inner.lexical()

    def cross_encoder(self, name: str) -> CrossEncoder:
        return self._inner.cross_encoder(name)

    def late_interaction(self, name: str | None = None) -> TokenEmbedder:
        return self._inner.late_interaction(name)

    def visual(self, name: str | None = None) -> VisualEmbedder:
        return self._inner.visual(name)

    def transcriber(self, name: str | None = None) -> Transcriber:
        return self._inner.transcriber(name)

    def acoustic(self) -> AcousticDescriber:
        return self._inner.acoustic()

    def ocr(self) -> TextReader:
        return self._inner.ocr()

    def available(self) -> Sequence[ModelInfo]:
        return self._inner.available()
