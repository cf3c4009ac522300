"""A small shop that stages are tested on: real documents in SQLite, exact vectors, real BM25.

Each product has a dense vector of three numbers (how much it is for running, for the kitchen, for reading), so that
every score can be worked out by hand, and the words of its text for lexical search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tamis.engine.ports.index import Point
from tamis.engine.ports.inference import (
    AcousticDescriber,
    CrossEncoder,
    Embedder,
    LexicalEncoder,
    ModelInfo,
    TextReader,
    TokenEmbedder,
    Transcriber,
    VisualEmbedder,
)
from tamis.engine.ports.metadata import Metadata
from tamis.engine.searching.searcher import Searcher
from tamis.engine.stage import Context, Outcome
from tamis.engine.stages import STAGES
from tamis.engine.templating import templates
from tamis.errors import ModelMissingError
from tamis.inference.lexical import Bm25Encoder
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.model.document import Document, DocumentWrite, Lineage
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.principal import Permission, Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, MultiDense, Vector, VectorKind
from tamis.testing.memory_index import MemoryIndex

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = Hits()
PRINCIPAL = Principal("org_1", "ns_1", frozenset(Permission))
URI = "mixpeek://text_extractor@v1/embedding"
LEXICAL = f"{URI}#lexical"
FEATURES = (
    FeatureSpec("embedding", VectorKind.DENSE, 3, inference_name="themes", aliases=("multilingual_e5",)),
    FeatureSpec("lexical", VectorKind.SPARSE, idf=True),
    FeatureSpec("tokens", VectorKind.MULTI_DENSE, 3, inference_name="theme-tokens"),
)
RUNNING, KITCHEN, READING = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]

# id, text, brand, price, vector
PRODUCTS: tuple[tuple[str, str, str | None, float | None, list[float]], ...] = (
    ("p1", "running shoes for long roads", "Sole", 90, [1.0, 0.0, 0.0]),
    ("p2", "trail running shoes", "Sole", 120, [0.8, 0.0, 0.6]),
    ("p3", "bread knife", "Blade", 20, [0.0, 1.0, 0.0]),
    ("p4", "paring knife for running a kitchen", "Blade", 10, [0.6, 0.8, 0.0]),
    ("p5", "a novel about knives", None, 8, [0.0, 0.6, 0.8]),
    ("p6", "日本語の小説", "Kobo", None, [0.0, 0.0, 1.0]),
)


class ThemeEmbedder:
    """A model whose vectors are known: a text's themes, counted. It notes what it was asked."""

    info = ModelInfo("themes", "1", 3, 64, "Apache-2.0")
    themes = (("running", "shoes", "road"), ("knife", "bread", "kitchen"), ("novel", "book", "reading"))

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed_query(self, text: str) -> FloatArray:
        self.asked.append(text)
        counts = [float(sum(word in text for word in theme)) for theme in self.themes]
        values = np.array(counts, dtype=np.float32)
        unit: FloatArray = values / max(float(np.linalg.norm(values)), 1e-9)
        return unit

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([self.embed_query(text) for text in texts])

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        return [(0, len(text))]


class SharedWords:
    """Reads a pair: the share of the query's words that the text has. It notes how many texts each call had."""

    info = ModelInfo("shared-words", "1", 1, 64, "Apache-2.0")

    def __init__(self) -> None:
        self.batches: list[int] = []

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        self.batches.append(len(texts))
        words = query.split()
        shares = [sum(word in text.split() for word in words) / max(len(words), 1) for text in texts]
        return np.array(shares, dtype=np.float32)


class ThemeTokens:
    """A vector for each word: its theme's axis; a word of no theme points nowhere."""

    info = ModelInfo("theme-tokens", "1", 3, 64, "Apache-2.0")

    def embed_query(self, text: str) -> FloatArray:
        rows = [[float(word in theme) for theme in ThemeEmbedder.themes] for word in text.split() or [""]]
        return np.array(rows, dtype=np.float32)

    def embed_documents(self, texts: Sequence[str]) -> Sequence[FloatArray]:
        return [self.embed_query(text) for text in texts]


class ThemeModels:
    def __init__(self) -> None:
        self.themes = ThemeEmbedder()
        self.shared_words = SharedWords()
        self._lexical = Bm25Encoder()

    def embedder(self, name: str | None = None) -> Embedder:
        if name not in (None, "themes"):
            raise ModelMissingError
        return self.themes

    def lexical(self) -> LexicalEncoder:
        return self._lexical

    def cross_encoder(self, name: str) -> CrossEncoder:
        if name != "shared-words":
            raise ModelMissingError
        return self.shared_words

    def late_interaction(self, name: str | None = None) -> TokenEmbedder:
        return ThemeTokens()

    def visual(self, name: str | None = None) -> VisualEmbedder:
        raise ModelMissingError

    def transcriber(self, name: str | None = None) -> Transcriber:
        raise ModelMissingError

    def acoustic(self) -> AcousticDescriber:
        raise ModelMissingError

    def ocr(self) -> TextReader:
        raise ModelMissingError

    def available(self) -> Sequence[ModelInfo]:
        return [self.themes.info]


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic_ms(self) -> float:
        return 0.0


def collection(collection_id: str, name: str, extractor: str = "text_extractor") -> Collection:
    features = FEATURES if extractor == "text_extractor" else ()
    config = ExtractorConfig(extractor, "v1")
    return Collection(collection_id, name, Source("bucket", ("bkt_1",)), config, features, {}, {}, NOW, NOW)


def document(
    document_id: str, collection_id: str = "col_a", number: int = 0, fields: Mapping[str, JSON] | None = None
) -> Document:
    when = NOW + timedelta(days=number)
    lineage = Lineage(
        root_bucket_id="bkt_1", root_object_id=f"obj_{document_id}", source_object_id=f"obj_{document_id}"
    )
    return Document(document_id, collection_id, fields or {}, when, when, lineage)


def hit(document_id: str, score: float = 0.0, scores: Mapping[str, float] | None = None, **fields: JSON) -> Hit:
    """A hit whose document has these fields."""
    return Hit(document_id, score, document(document_id, fields=fields), scores or {})


@dataclass
class Shop:
    """collections: `products` holds the odd ones, `more` the even ones, so that every search crosses two."""

    metadata: Metadata
    index: MemoryIndex = field(default_factory=MemoryIndex)
    models: ThemeModels = field(default_factory=ThemeModels)
    collections: tuple[Collection, ...] = (collection("col_a", "products"), collection("col_b", "more"))

    @property
    def searcher(self) -> Searcher:
        return Searcher(self.index, self.metadata, self.models)

    def context(self, stage_index: int = 0, stage_name: str = "stage", seed: int = 7, **inputs: JSON) -> Context:
        return Context(
            principal=PRINCIPAL,
            inputs=inputs,
            collections=self.collections,
            seed=seed,
            stage_name=stage_name,
            stage_index=stage_index,
            searcher=self.searcher,
            models=self.models,
            clock=StoppedClock(),
            render=lambda value, one, here=None: templates.render(value, {"DOC": one.view(), "CONTEXT": here or {}}),
            stages=STAGES,
        )

    async def put(self, collection_id: str, writes: Sequence[DocumentWrite], principal: Principal = PRINCIPAL) -> None:
        await self.metadata.write(lambda session: session.documents.put(principal, collection_id, writes))
        points = [Point(write.document.document_id, write.vectors, write.document.view()) for write in writes]
        await self.index.upsert(principal, collection_id, points)

    async def run(
        self, stage_id: str, parameters: dict[str, Any], hits: Hits = NOTHING, stage_index: int = 0
    ) -> Outcome:
        return await run(stage_id, parameters, hits, self.context(stage_index))


async def run(stage_id: str, parameters: dict[str, Any], hits: Hits, context: Context) -> Outcome:
    stage = STAGES[stage_id]
    return await stage(stage.Parameters.model_validate(parameters)).run(hits, context)


async def filled(metadata: Metadata, index: MemoryIndex | None = None) -> Shop:
    """The shop with its products in both stores."""
    shop = Shop(metadata, index or MemoryIndex())
    for one in shop.collections:
        await metadata.write(lambda session, one=one: session.collections.insert(PRINCIPAL, one))  # type: ignore[misc]
        await shop.index.create(PRINCIPAL, one.collection_id, one.features)
    for collection_id, odd in (("col_a", 0), ("col_b", 1)):
        await shop.put(collection_id, [product(n, collection_id) for n in range(odd, len(PRODUCTS), 2)])
    return shop


def product(number: int, collection_id: str) -> DocumentWrite:
    document_id, text, brand, price, vector = PRODUCTS[number]
    fields: dict[str, JSON] = {"text": text, "brand": brand, "price": price, "tags": [*text.split()]}
    dense = Dense(np.array(vector, dtype=np.float32))
    tokens = MultiDense(ThemeTokens().embed_query(text))
    vectors: dict[str, Vector] = {
        "embedding": dense, "lexical": Bm25Encoder().encode_document(text), "tokens": tokens,
    }  # fmt: skip
    return DocumentWrite(document(document_id, collection_id, number, fields), vectors)


def ids(outcome: Outcome) -> list[str]:
    return [one.id for one in outcome.hits]
