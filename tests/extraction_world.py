"""A small world to extract in: real metadata and blobs, an exact index, and extractors that a test can read at once."""

import threading
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.engine.ports.index import VectorIndex, VectorSearch
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
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.outside import Outside
from tamis.errors import ModelMissingError
from tamis.jobs.calling import Caller
from tamis.jobs.extraction import ExtractionWorker
from tamis.jobs.source_files import SourceFiles
from tamis.model.batch import Batch
from tamis.model.bucket import Blob, Bucket, BucketObject
from tamis.model.collection import Collection, ExtractorConfig, Passthrough, Source
from tamis.model.document import Document
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.namespace import Namespace
from tamis.model.organization import Organization, User
from tamis.model.principal import Permission, Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, VectorKind
from tamis.services.data.batches import BatchService
from tamis.services.data.collection_runs import CollectionRunService
from tamis.services.data.collections import CollectionDraft, CollectionService
from tamis.services.data.documents import DocumentService
from tamis.services.data.files import FileKeeping, FileSweeper
from tamis.services.data.lineage import LineageService
from tamis.services.data.tasks import TaskService
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer
from tamis.storage.blobs import open_blobs
from tamis.testing.memory_index import MemoryIndex
from tests.blank import open_blank

DIMENSIONS = 26
FILE_LIMITS = dict.fromkeys(("text", "image", "audio", "video", "document", "other"), 1 << 20)
BOOM = "breaks the extractor"
BAD = "is refused"
SCHEMA: dict[str, JSON] = {
    "properties": {
        "text": {"type": "text"},
        "title": {"type": "string"},
        "price": {"type": "integer"},
        "brand": {"type": "object", "properties": {"name": {"type": "string"}}},
    }
}


def letters(text: str) -> FloatArray:
    """How often each letter of the alphabet occurs, at unit length."""
    counts = np.bincount([ord(char) - 97 for char in text.lower() if "a" <= char <= "z"], minlength=DIMENSIONS)
    return (counts / max(float(np.linalg.norm(counts)), 1e-9)).astype(np.float32)


class LetterParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    separator: str | None = None


class LetterExtractor:
    """Cuts a text at a separator; its feature counts letters."""

    name: ClassVar[str] = "letter_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Counts letters"
    icon: ClassVar[str] = "type"
    supported_input_types: ClassVar[tuple[str, ...]] = ("text",)
    max_inputs: ClassVar[Mapping[str, int]] = {"text": 1}
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    }
    Parameters: ClassVar[type[BaseModel]] = LetterParameters
    is_repeatable: ClassVar[bool] = False

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.model_is_missing = False
        self.slow_s = 0.0
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        return [FeatureSpec("letters", VectorKind.DENSE, DIMENSIONS, aliases=("counts",))]

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {"text": {"type": "text"}, "part": {"type": "integer"}}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        if self.model_is_missing:
            raise ModelMissingError
        if any(BOOM in str(item.inputs["text"]) for item in items):
            raise RuntimeError("the extractor broke")
        self.reached.set()
        self.go_on.wait()
        time.sleep(self.slow_s * len(items))
        self.seen.extend(item.source_id for item in items)
        separator = parameters.model_dump()["separator"]
        return [_answer(str(item.inputs["text"]), separator) for item in items]


def _answer(text: str, separator: str | None) -> Sequence[Segment] | ExtractionFailure:
    if BAD in text:
        return ExtractionFailure("this text is refused")
    parts = text.split(separator) if separator else [text]
    return [Segment({"text": part, "part": i}, {"letters": Dense(letters(part))}) for i, part in enumerate(parts)]


class NoParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CopyExtractor:
    """Makes one document of each source, without features."""

    name: ClassVar[str] = "copy_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Copies"
    icon: ClassVar[str] = "copy"
    supported_input_types: ClassVar[tuple[str, ...]] = ()
    max_inputs: ClassVar[Mapping[str, int]] = {}
    input_schema: ClassVar[Mapping[str, Any]] = {"type": "object", "properties": {}}
    Parameters: ClassVar[type[BaseModel]] = NoParameters

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        return []

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        return [[Segment({})] for _ in items]


class Shelf:
    """Implements `Extractors` over the two above."""

    def __init__(self) -> None:
        self.letter = LetterExtractor()
        self._all: tuple[Extractor, ...] = (self.letter, CopyExtractor())

    def get(self, name: str, version: str) -> Extractor | None:
        names = (name, f"{name}_extractor")
        return next((each for each in self._all if each.name in names and each.version == version), None)

    def all(self) -> Sequence[Extractor]:
        return self._all


class NoModels:
    """Implements `Models` where none is at hand; the extractors above need none."""

    def embedder(self, name: str | None = None) -> Embedder:
        raise ModelMissingError

    def lexical(self) -> LexicalEncoder:
        raise ModelMissingError

    def cross_encoder(self, name: str) -> CrossEncoder:
        raise ModelMissingError

    def late_interaction(self, name: str | None = None) -> TokenEmbedder:
        raise ModelMissingError

    def visual(self, name: str | None = None) -> VisualEmbedder:
        raise ModelMissingError

    def transcriber(self, name: str | None = None) -> Transcriber:
        raise ModelMissingError

    def acoustic(self) -> AcousticDescriber:
        raise ModelMissingError

    def ocr(self) -> TextReader:
        raise ModelMissingError

    def available(self) -> Sequence[ModelInfo]:
        return ()


@dataclass
class World:
    metadata: Metadata
    index: VectorIndex
    indexer: Indexer
    worker: ExtractionWorker
    shelf: Shelf
    collections: CollectionService
    documents: DocumentService
    lineage: LineageService
    batches: BatchService
    triggers: CollectionRunService
    tasks: TaskService
    principal: Principal
    stranger: Principal
    blobs: Any
    files: SourceFiles
    sweeper: FileSweeper

    async def bucket(self, name: str = "things", schema: dict[str, JSON] | None = None) -> Bucket:
        now = datetime.now(UTC)
        bucket = Bucket(new_id("bkt"), name, SCHEMA if schema is None else schema, now, now)
        return await self.metadata.write(lambda session: session.buckets.insert(self.principal, bucket))

    async def objects(self, bucket: Bucket, views: Iterable[Mapping[str, JSON]]) -> list[str]:
        """One object for each view: `text` becomes a blob, everything else a field."""
        now = datetime.now(UTC)
        made = [_object(bucket.bucket_id, dict(view), now) for view in views]
        await self.metadata.write(lambda session: session.objects.insert(self.principal, made))
        return [each.object_id for each in made]

    async def collection(
        self, name: str, source: Bucket | Collection, extractor: str = "letter", **options: Any
    ) -> Collection:
        config = ExtractorConfig(
            extractor,
            "v1",
            parameters=options.pop("parameters", {}),
            input_mappings=options.pop("input_mappings", {}),
            passthrough=tuple(Passthrough(*each) for each in options.pop("passthrough", ())),
            include_all_source_fields=options.pop("include_all", False),
        )
        filters = options.pop("filters", None)
        if isinstance(source, Bucket):
            fed = Source("bucket", bucket_ids=(source.name,), filters=filters)
        else:
            fed = Source("collection", collection_ids=(source.name,), filters=filters)
        draft = CollectionDraft(name, fed, config, **options)
        return (await self.collections.create(self.principal, draft)).collection

    async def process(self, bucket: Bucket, object_ids: Sequence[str]) -> Batch:
        """Submit a batch and see it through."""
        batch = (await self.batches.create(self.principal, bucket.name, object_ids)).batch
        await self.batches.submit(self.principal, bucket.name, batch.batch_id)
        return await self.finish(bucket, batch.batch_id)

    async def finish(self, bucket: Bucket, batch_id: str) -> Batch:
        await self.worker.drain()
        return (await self.batches.get(self.principal, bucket.name, batch_id)).batch

    async def all_documents(self, collection: Collection) -> list[Document]:
        return await self.metadata.read(
            lambda session: list(session.documents.scan(self.principal, collection.collection_id))
        )

    async def search(self, collection: Collection, text: str, limit: int = 10) -> list[str]:
        found = await self.index.search(
            self.principal, [(collection.collection_id, VectorSearch("letters", Dense(letters(text)), limit))]
        )
        return [each.document_id for each in found[0]]


@asynccontextmanager
async def open_world(
    path: Path,
    index: VectorIndex | None = None,
    slow_s: float = 0.0,
    outside: Outside | None = None,
    models: Models | None = None,
    caller: Caller | None = None,
) -> AsyncIterator[World]:
    """index: an exact one in memory, where none is given; the caller closes his own.  slow_s: for each source."""
    metadata = await open_blank(path / "tamis.db")
    index = index or MemoryIndex()
    indexer = Indexer(metadata, index, patience_s=0.2)
    shelf = Shelf()
    shelf.letter.slow_s = slow_s
    blobs = open_blobs(path / "blobs", None)
    decoding = DecoderPool(path / "work" / "decoding")
    keeping = FileKeeping(metadata, blobs)
    sweeper = FileSweeper(metadata, blobs, keeping, poll_s=0.05)
    await sweeper.start()
    files = SourceFiles(blobs, decoding, path / "work" / "sources", FILE_LIMITS, keeping, outside)
    worker = ExtractionWorker(
        metadata, indexer, shelf, models or NoModels(), keeping, files, poll_s=0.05, caller=caller
    )
    principal, stranger = await _tenants(metadata)
    world = World(
        metadata=metadata,
        index=index,
        indexer=indexer,
        worker=worker,
        shelf=shelf,
        collections=CollectionService(metadata, indexer, shelf, Clearing(metadata, indexer, blobs)),
        documents=DocumentService(metadata, indexer),
        lineage=LineageService(metadata),
        batches=BatchService(metadata, worker.wake),
        triggers=CollectionRunService(metadata, worker.wake),
        tasks=TaskService(metadata),
        principal=principal,
        stranger=stranger,
        blobs=blobs,
        files=files,
        sweeper=sweeper,
    )
    await worker.start()
    try:
        yield world
    finally:
        await worker.stop()
        await sweeper.close()
        await indexer.close()
        await metadata.close()


async def _tenants(metadata: Metadata) -> tuple[Principal, Principal]:
    """Two organisations with a namespace each; the same ones when the world is opened again."""
    now = datetime.now(UTC)
    tenants = []
    for name in ("a", "b"):
        organization = Organization(f"org_{name * 20}", name, now, now)
        namespace = Namespace(f"ns_{name * 20}", name, now, now)
        principal = Principal(organization.organization_id, permissions=frozenset({Permission.ADMIN}))
        if await metadata.read(partial(_organization, principal)) is None:
            user = User(f"usr_{name * 20}", organization.organization_id, f"{name}@localhost", now)
            await metadata.write(partial(_found, organization, user, principal, namespace))
        tenants.append(principal.within(namespace.namespace_id))
    return tenants[0], tenants[1]


def _organization(principal: Principal, session: Session) -> Organization | None:
    return session.organizations.get(principal)


def _found(
    organization: Organization, user: User, principal: Principal, namespace: Namespace, session: Session
) -> None:
    session.organizations.insert(organization, user)
    session.namespaces.insert(principal, namespace)


def _object(bucket_id: str, view: dict[str, JSON], now: datetime) -> BucketObject:
    blobs = [Blob(new_id("blob"), "text", "text", data=view.pop("text"))] if "text" in view else []
    url = view.pop("url", None)
    if url is not None:
        blobs.append(Blob(new_id("blob"), "text", "text", url=str(url), mime_type="text/plain"))
    return BucketObject(new_id("obj"), bucket_id, now, now, tuple(blobs), view)
