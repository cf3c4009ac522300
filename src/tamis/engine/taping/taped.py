"""The ports that stages reach, each behind a tape: one class a port, one `ask` a method."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from tamis.engine.environment import Environment
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.index import FacetCount, Scored
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
from tamis.engine.ports.searching import SearchPort
from tamis.engine.searching.diversity import Pick
from tamis.engine.searching.searcher import Found, Search
from tamis.engine.searching.stored_clustering import Clustered, Clustering
from tamis.engine.searching.stored_likeness import Likeness, Likenesses
from tamis.engine.searching.stored_vectors import Diverse, Diversity, LateInteraction
from tamis.engine.spending.allowance import Allowance
from tamis.engine.tape import RUN, Archive, Form, Tape
from tamis.engine.taping.taped_reach import taped_reach
from tamis.engine.taping.taped_reading import taped_ocr
from tamis.engine.taping.taped_sound import taped_acoustic, taped_transcriber
from tamis.engine.taping.taped_visual import taped_visual
from tamis.engine.taxonomies.taxonomy import Near
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter
from tamis.model.principal import Principal
from tamis.model.vector import FloatArray, Sparse

SEARCHER, MODELS, CLOCK = "searcher", "models", "clock"


def taped(environment: Environment, tape: Tape) -> Environment:
    """The environment with everything asked through the tape."""
    return Environment(
        TapedSearcher(tape, environment.searcher),
        TapedModels(tape, environment.models),
        TapedClock(tape, environment.clock),
        taped_reach(environment.reach, tape),
    )


class TapedSearcher:
    """Who asks is no part of the question: a replay may be another key's."""

    __slots__ = ("_searcher", "_tape")

    def __init__(self, tape: Tape, searcher: SearchPort) -> None:
        self._tape = tape
        self._searcher = searcher

    async def search(self, principal: Principal, searches: Sequence[Search]) -> Sequence[Found]:
        return await self._tape.ask(_SEARCH, tuple(searches), lambda: self._searcher.search(principal, searches))

    async def hydrate(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        return await self._tape.ask(
            _HYDRATE, tuple(document_ids), lambda: self._searcher.hydrate(principal, document_ids)
        )

    async def collections(
        self, principal: Principal, identifiers: Sequence[str], known: Sequence[Collection] = ()
    ) -> tuple[Collection, ...]:
        arguments = (tuple(identifiers), tuple(known))
        return await self._tape.ask(
            _COLLECTIONS, arguments, lambda: self._searcher.collections(principal, identifiers, known)
        )

    async def list_documents(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int
    ) -> tuple[list[Document], bool]:
        arguments = (tuple(collections), filter, limit)
        return await self._tape.ask(
            _LIST, arguments, lambda: self._searcher.list_documents(principal, collections, filter, limit)
        )

    async def random(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int, seed: str
    ) -> Sequence[Scored]:
        arguments = (tuple(collections), filter, limit, seed)
        return await self._tape.ask(
            _RANDOM, arguments, lambda: self._searcher.random(principal, collections, filter, limit, seed)
        )

    async def facet(
        self, principal: Principal, collections: Sequence[Collection], path: str, limit: int, filter: Filter | None,
        exact: bool,
    ) -> Sequence[FacetCount]:  # fmt: skip
        arguments = (tuple(collections), path, limit, filter, exact)
        return await self._tape.ask(
            _FACET, arguments, lambda: self._searcher.facet(principal, collections, path, limit, filter, exact)
        )

    async def is_empty(self, principal: Principal, collections: Sequence[Collection]) -> bool:
        return await self._tape.ask(
            _IS_EMPTY, tuple(collections), lambda: self._searcher.is_empty(principal, collections)
        )

    async def diversify(self, principal: Principal, asked: Diversity) -> Diverse:
        return await self._tape.ask(_DIVERSIFY, (asked,), lambda: self._searcher.diversify(principal, asked))

    async def cluster(self, principal: Principal, asked: Clustering) -> Clustered:
        return await self._tape.ask(_CLUSTER, (asked,), lambda: self._searcher.cluster(principal, asked))

    async def likeness(self, principal: Principal, asked: Likeness) -> Likenesses:
        return await self._tape.ask(_LIKENESS, (asked,), lambda: self._searcher.likeness(principal, asked))

    async def late_interaction(self, principal: Principal, asked: LateInteraction) -> Mapping[str, float]:
        return await self._tape.ask(
            _LATE_INTERACTION, (asked,), lambda: self._searcher.late_interaction(principal, asked)
        )


class TapedModels:
    __slots__ = ("_models", "_tape")

    def __init__(self, tape: Tape, models: Models) -> None:
        self._tape = tape
        self._models = models

    def embedder(self, name: str | None = None) -> Embedder:
        return TapedEmbedder(self._tape, self._tape.ask_now(_EMBEDDER, (name,), lambda: self._models.embedder(name)))

    def lexical(self) -> LexicalEncoder:
        return TapedLexical(self._tape, self._tape.ask_now(_LEXICAL, (), self._models.lexical))

    def cross_encoder(self, name: str) -> CrossEncoder:
        found = self._tape.ask_now(_CROSS_ENCODER, (name,), lambda: self._models.cross_encoder(name))
        return TapedCrossEncoder(self._tape, found)

    def late_interaction(self, name: str | None = None) -> TokenEmbedder:
        found = self._tape.ask_now(_TOKEN_EMBEDDER, (name,), lambda: self._models.late_interaction(name))
        return TapedTokenEmbedder(self._tape, found)

    def visual(self, name: str | None = None) -> VisualEmbedder:
        return taped_visual(self._tape, self._models, name)

    def transcriber(self, name: str | None = None) -> Transcriber:
        return taped_transcriber(self._tape, self._models, name)

    def acoustic(self) -> AcousticDescriber:
        return taped_acoustic(self._tape, self._models)

    def ocr(self) -> TextReader:
        return taped_ocr(self._tape, self._models)

    def available(self) -> Sequence[ModelInfo]:
        return self._tape.ask_now(_AVAILABLE, (), self._models.available)


class TapedEmbedder:
    """Its model's name is part of each question: two models asked the same text answer differently."""

    def __init__(self, tape: Tape, embedder: Embedder) -> None:
        self._tape = tape
        self._embedder = embedder
        self.info = embedder.info

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        arguments = (self.info.name, tuple(texts))
        return self._tape.ask_now(_EMBED_DOCUMENTS, arguments, lambda: self._embedder.embed_documents(texts))

    def embed_query(self, text: str) -> FloatArray:
        return self._tape.ask_now(_EMBED_QUERY, (self.info.name, text), lambda: self._embedder.embed_query(text))

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        return self._tape.ask_now(_SPANS, (self.info.name, text), lambda: self._embedder.spans(text))


class TapedCrossEncoder:
    def __init__(self, tape: Tape, encoder: CrossEncoder) -> None:
        self._tape = tape
        self._encoder = encoder
        self.info = encoder.info

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        arguments = (self.info.name, query, tuple(texts))
        return self._tape.ask_now(_SCORE, arguments, lambda: self._encoder.score(query, texts))


class TapedTokenEmbedder:
    def __init__(self, tape: Tape, embedder: TokenEmbedder) -> None:
        self._tape = tape
        self._embedder = embedder
        self.info = embedder.info

    def embed_documents(self, texts: Sequence[str]) -> Sequence[FloatArray]:
        arguments = (self.info.name, tuple(texts))
        return self._tape.ask_now(_TOKENS_OF_DOCUMENTS, arguments, lambda: self._embedder.embed_documents(texts))

    def embed_query(self, text: str) -> FloatArray:
        return self._tape.ask_now(_TOKENS_OF_QUERY, (self.info.name, text), lambda: self._embedder.embed_query(text))


class TapedLexical:
    def __init__(self, tape: Tape, encoder: LexicalEncoder) -> None:
        self._tape = tape
        self._encoder = encoder
        self.version = encoder.version

    def encode_document(self, text: str, language: str | None = None) -> Sparse:
        return self._tape.ask_now(
            _ENCODE_DOCUMENT, (text, language), lambda: self._encoder.encode_document(text, language)
        )

    def encode_query(self, text: str, language: str | None = None) -> Sparse:
        return self._tape.ask_now(_ENCODE_QUERY, (text, language), lambda: self._encoder.encode_query(text, language))


class TapedClock:
    __slots__ = ("_clock", "_tape")

    def __init__(self, tape: Tape, clock: Clock) -> None:
        self._tape = tape
        self._clock = clock

    def now(self) -> datetime:
        return self._tape.ask_now(_NOW, (), self._clock.now)

    def monotonic_ms(self) -> float:
        return self._tape.ask_now(_MONOTONIC_MS, (), self._clock.monotonic_ms)


class TapedAllowance(Allowance):
    """What is granted is charged to the allowance behind it; in a replay nothing is charged."""

    __slots__ = ("_behind", "_tape")

    def __init__(self, tape: Tape, behind: Allowance) -> None:
        super().__init__()
        self._tape = tape
        self._behind = behind

    @property
    def behind(self) -> Allowance:
        """For a port whose own answers are on the tape: in a replay it is not asked, so nothing is spent there."""
        return self._behind

    def spend(self, calls: int = 1, tokens: int = 0) -> bool:
        return self._tape.ask_now(_SPEND, (calls, tokens), lambda: self._behind.spend(calls, tokens))

    def correct(self, tokens: int) -> None:
        self._behind.correct(tokens)


@dataclass(frozen=True, slots=True)
class _Noted:
    """A model that is only known by name: behind a playback nothing more is asked of it."""

    info: ModelInfo | None = None
    version: str = ""


def _ranking(ranking: Sequence[Scored]) -> dict[str, Any]:
    return {"ids": [one.document_id for one in ranking], "scores": [one.score for one in ranking]}


def _scored(note: dict[str, Any]) -> list[Scored]:
    return [Scored(one, score) for one, score in zip(note["ids"], note["scores"], strict=True)]


def _versions(documents: Sequence[Document]) -> dict[str, Any]:
    return {"ids": [one.document_id for one in documents], "revisions": [one.revision for one in documents]}


def _documents(note: dict[str, Any], archive: Archive) -> list[Document]:
    return [archive.documents[key] for key in zip(note["ids"], note["revisions"], strict=True)]


def _clustered(note: dict[str, Any]) -> Clustered:
    """Lists in the note are tuples again."""
    centroids = tuple(tuple(row) for row in note["centroids"])
    told = {name: tuple(note[name]) for name in ("labels", "distances", "notes")}
    return Clustered(**{**note, **told, "centroids": centroids})


def _likenesses(note: dict[str, Any]) -> Likenesses:
    matches = tuple(
        {node: Near(score, tuple((one, at) for one, at in near)) for node, (score, near) in own.items()}
        for own in note["matches"]
    )
    return Likenesses(matches, note["reasons"])


def _as_is(value: Any) -> Any:
    return value


def _as_noted(note: Any, _archive: Archive) -> Any:
    return note


def _rows(note: Any, _archive: Archive) -> FloatArray:
    return np.array(note, dtype=np.float32)


def _sparse_note(value: Sparse) -> dict[str, Any]:
    return {"indices": value.indices.tolist(), "values": value.values.tolist()}


def _sparse(note: Any, _archive: Archive) -> Sparse:
    return Sparse(np.array(note["indices"], dtype=np.uint32), np.array(note["values"], dtype=np.float32))


_SEARCH: Form[Sequence[Found]] = Form(
    SEARCHER,
    "search",
    lambda found: [{"feature": one.feature, "ranking": _ranking(one.ranking)} for one in found],
    lambda note, _: [Found(one["feature"], _scored(one["ranking"])) for one in note],
)
_HYDRATE: Form[Mapping[str, Document]] = Form(
    SEARCHER,
    "hydrate",
    lambda found: _versions(list(found.values())),
    lambda note, archive: {one.document_id: one for one in _documents(note, archive)},
)
_COLLECTIONS: Form[tuple[Collection, ...]] = Form(
    SEARCHER,
    "collections",
    lambda found: [[one.collection_id, one.version] for one in found],
    lambda note, archive: tuple(archive.collections[(key, version)] for key, version in note),
)
_LIST: Form[tuple[list[Document], bool]] = Form(
    SEARCHER,
    "list_documents",
    lambda found: {"documents": _versions(found[0]), "more": found[1]},
    lambda note, archive: (_documents(note["documents"], archive), note["more"]),
)
_RANDOM: Form[Sequence[Scored]] = Form(SEARCHER, "random", _ranking, lambda note, _: _scored(note))
_FACET: Form[Sequence[FacetCount]] = Form(
    SEARCHER,
    "facet",
    lambda found: [[one.value, one.count] for one in found],
    lambda note, _: [FacetCount(value, count) for value, count in note],
)
_IS_EMPTY: Form[bool] = Form(SEARCHER, "is_empty", _as_is, _as_noted)
# What is read is a `_Noted`: all of a model that is asked for behind a playback.
_EMBEDDER: Form[Any] = Form(
    MODELS, "embedder", lambda found: asdict(found.info), lambda note, _: _Noted(ModelInfo(**note))
)
_CROSS_ENCODER: Form[Any] = Form(
    MODELS, "cross_encoder", lambda found: asdict(found.info), lambda note, _: _Noted(ModelInfo(**note))
)
_TOKEN_EMBEDDER: Form[Any] = Form(
    MODELS, "late_interaction", lambda found: asdict(found.info), lambda note, _: _Noted(ModelInfo(**note))
)
_SCORE: Form[FloatArray] = Form(
    MODELS, "score", lambda scores: [float(score) for score in scores], lambda note, _: np.array(note, np.float32)
)
_TOKENS_OF_DOCUMENTS: Form[Sequence[FloatArray]] = Form(
    MODELS, "token_rows_of_documents", lambda all: [rows.tolist() for rows in all],
    lambda note, archive: [_rows(rows, archive) for rows in note],
)  # fmt: skip
_TOKENS_OF_QUERY: Form[FloatArray] = Form(MODELS, "token_rows_of_query", lambda rows: rows.tolist(), _rows)
_DIVERSIFY: Form[Diverse] = Form(
    SEARCHER,
    "diversify",
    lambda found: {"picks": [asdict(one) for one in found.picks], "without": list(found.without)},
    lambda note, _: Diverse(tuple(Pick(**one) for one in note["picks"]), tuple(note["without"])),
)
_CLUSTER: Form[Clustered] = Form(SEARCHER, "cluster", asdict, lambda note, _: _clustered(note))
_LIKENESS: Form[Likenesses] = Form(
    SEARCHER,
    "likeness",
    lambda found: {
        "matches": [
            {node: [near.score, [list(one) for one in near.references]] for node, near in own.items()}
            for own in found.matches
        ],
        "reasons": dict(found.reasons),
    },
    lambda note, _: _likenesses(note),
)
_LATE_INTERACTION: Form[Mapping[str, float]] = Form(SEARCHER, "late_interaction", dict, _as_noted)
_LEXICAL: Form[Any] = Form(MODELS, "lexical", lambda found: found.version, lambda note, _: _Noted(version=note))
_AVAILABLE: Form[Sequence[ModelInfo]] = Form(
    MODELS,
    "available",
    lambda found: [asdict(one) for one in found],
    lambda note, _: [ModelInfo(**one) for one in note],
)
_EMBED_DOCUMENTS: Form[FloatArray] = Form(MODELS, "embed_documents", lambda rows: rows.tolist(), _rows)
_EMBED_QUERY: Form[FloatArray] = Form(MODELS, "embed_query", lambda row: row.tolist(), _rows)
_SPANS: Form[Sequence[tuple[int, int]]] = Form(
    MODELS, "spans", lambda spans: [list(one) for one in spans], lambda note, _: [(start, end) for start, end in note]
)
_ENCODE_DOCUMENT: Form[Sparse] = Form(MODELS, "encode_document", _sparse_note, _sparse)
_ENCODE_QUERY: Form[Sparse] = Form(MODELS, "encode_query", _sparse_note, _sparse)
_NOW: Form[datetime] = Form(CLOCK, "now", lambda at: at.isoformat(), lambda note, _: datetime.fromisoformat(note))
_MONOTONIC_MS: Form[float] = Form(CLOCK, "monotonic_ms", _as_is, _as_noted)
_SPEND: Form[bool] = Form("allowance", "spend", _as_is, _as_noted)
FACTS: Form[dict[str, Any]] = Form(RUN, "facts", _as_is, _as_noted)
"""What templates are told of the run's time and budget."""
