"""Text to documents: fields, offsets, features; what is refused and how."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.engine.searching.late_interaction import max_sim
from tamis.errors import ValidationError
from tamis.extractors import ExtractorRegistry
from tamis.extractors.text_extractor import TextExtractor, TextParameters
from tamis.inference.models import LocalModels
from tamis.model.vector import Dense, MultiDense, Sparse, VectorKind
from tamis.testing.extractor_contract import ExtractorContract
from tests.source_files import on_disk

STORY = "The mill stood still. Nobody came.\n\nIn spring the river rose. The wheel turned again."


def item(text: Any) -> SourceItem:
    return SourceItem("src", {} if text is None else {"text": text})


def filed(data: bytes, folder: Path, declared_type: str | None = None) -> SourceItem:
    return SourceItem("src", {}, {"text": on_disk(data, folder, declared_type)})


def extract(models: LocalModels, source: SourceItem, **parameters: Any) -> Sequence[Segment]:
    [outcome] = TextExtractor().extract([source], TextParameters.model_validate(parameters), models)
    assert not isinstance(outcome, ExtractionFailure), outcome.message
    return outcome


class TestContract(ExtractorContract):
    @pytest.fixture
    def extractor(self) -> Extractor:
        return TextExtractor()

    @pytest.fixture
    def good(self, tmp_path: Path) -> Sequence[SourceItem]:
        return [item(STORY), item(["Eins.", "Zwei."]), item("猫"), item(7), filed("Ọmọ".encode(), tmp_path)]

    @pytest.fixture
    def bad(self, tmp_path: Path) -> Sequence[SourceItem]:
        return [item(""), item(" \n"), item(None), item({"a": 1}), filed(b"\xff\xfe\xff", tmp_path)]


class TestContractInChunks(TestContract):
    @pytest.fixture
    def parameters(self, extractor: Extractor) -> TextParameters:
        return TextParameters(split_by="sentences")


def test_features_are_a_dense_and_a_lexical_one() -> None:
    dense, lexical = TextExtractor().features(TextParameters())
    assert (dense.name, dense.kind, dense.dimensions, dense.distance) == ("embedding", VectorKind.DENSE, 384, "cosine")
    assert (lexical.name, lexical.kind, lexical.idf) == ("lexical", VectorKind.SPARSE, True)
    assert {"text_embedding", "multilingual_e5_large_instruct_v1"} <= set(dense.aliases)


def test_vectors_are_the_models_own(models: LocalModels) -> None:
    [segment] = extract(models, item(STORY))
    assert segment.fields == {"text": STORY}
    dense, sparse = segment.vectors["embedding"], segment.vectors["lexical"]
    assert isinstance(dense, Dense)
    assert isinstance(sparse, Sparse)
    np.testing.assert_allclose(dense.values, models.embedder().embed_query(STORY), atol=1e-5)
    assert sparse.indices.tolist() == models.lexical().encode_document(STORY).indices.tolist()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"split_by": "sentences"}, 4),
        ({"split_by": "sentence", "chunk_size": 3, "chunk_overlap": 1}, 2),
        ({"split_by": "paragraphs"}, 2),
        ({"chunk_strategy": "paragraph"}, 2),
        ({"chunking_strategy": "sentence", "chunk_size": 512, "chunk_overlap": 50}, 1),
        ({"chunk_strategy": "sentence", "chunk_size": 12}, 2),
        ({"chunk_strategy": "fixed", "chunk_size": 8}, 3),
        ({"split_by": "words", "chunk_size": 5}, 3),
        ({"split_by": None, "chunk_size": None}, 1),
    ],
)
def test_chunks_point_into_their_source(models: LocalModels, parameters: dict[str, Any], expected: int) -> None:
    segments = extract(models, item(STORY), **parameters)
    assert len(segments) == expected
    for place, segment in enumerate(segments):
        if "chunk_index" not in segment.fields:
            continue
        start, end = segment.fields["start_char"], segment.fields["end_char"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert STORY[start:end] == segment.fields["text"]
        assert (segment.fields["chunk_index"], segment.fields["chunk_count"]) == (place, expected)


def test_a_window_is_never_longer_than_the_models_own(models: LocalModels) -> None:
    text = "many words " * 400
    segments = extract(models, item(text), split_by="tokens", chunk_size=1000, chunk_overlap=100)
    spans = [len(models.embedder().spans(str(segment.fields["text"]))) for segment in segments]
    assert spans[:-1] == [254] * (len(spans) - 1)
    assert sum(spans) == 800 + 25 * (len(spans) - 1)


def test_items_of_one_call_keep_their_chunks_apart(models: LocalModels) -> None:
    items = [item("One. Two."), item(""), item("Three."), item("Four. Five. Six.")]
    outcomes = TextExtractor().extract(items, TextParameters(split_by="sentences"), models)
    found = [
        outcome.message if isinstance(outcome, ExtractionFailure) else [segment.fields["text"] for segment in outcome]
        for outcome in outcomes
    ]
    assert found == [["One.", "Two."], "the input 'text' is empty", ["Three."], ["Four.", "Five.", "Six."]]


def test_a_text_of_countless_chunks_is_refused(models: LocalModels) -> None:
    [outcome] = TextExtractor().extract(
        [item("ab" * 10_001)], TextParameters(split_by="characters", chunk_size=1), models
    )
    assert isinstance(outcome, ExtractionFailure)
    assert (outcome.error_type, "20002 chunks" in outcome.message) == ("validation", True)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ("Straße".encode(), None),
        (b"\xef\xbb\xbfStra\xc3\x9fe", "text/plain"),
        ("Straße".encode("utf-16"), None),
        ("Straße".encode("latin-1"), "text/plain; charset=iso-8859-1"),
    ],
)
def test_files_are_decoded(models: LocalModels, tmp_path: Path, data: bytes, content_type: str | None) -> None:
    [segment] = extract(models, filed(data, tmp_path, content_type))
    assert segment.fields["text"] == "Straße"


@pytest.mark.parametrize(
    ("data", "content_type", "reason"),
    [(b"Stra\xdfe", None, "byte 4"), (b"x", "text/plain; charset=klingon", "'klingon' is not known")],
)
def test_a_file_that_is_no_text_says_why(
    models: LocalModels, tmp_path: Path, data: bytes, content_type: str | None, reason: str
) -> None:
    [outcome] = TextExtractor().extract([filed(data, tmp_path, content_type)], TextParameters(), models)
    assert isinstance(outcome, ExtractionFailure)
    assert reason in outcome.message
    assert outcome.error_type == "validation"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"chunk_sise": 3}, "did you mean 'chunk_size'"),
        ({"split_by": "chapters"}, "split_by"),
        ({"split_by": "tokens", "chunk_size": 5, "chunk_overlap": 5}, "must be less than chunk_size"),
        ({"split_by": "tokens", "chunk_size": 0}, "chunk_size"),
        ({"split_by": "words", "chunk_strategy": "sentence"}, "two that differ"),
        ({"response_shape": "find the names"}, "language model"),
    ],
)
def test_wrong_parameters_say_what_would_be_right(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextParameters.model_validate(parameters)


def test_an_unknown_model_is_refused_before_anything_runs(models: LocalModels) -> None:
    extractor = ExtractorRegistry(models).get("text", "v1")
    assert extractor is not None
    with pytest.raises(ValidationError, match=r"parameters\.model.*known: all-MiniLM-L6-v2"):
        extractor.features(TextParameters.model_validate({"embedding_model": "multilingual-e5-large-instruct"}))
    named = extractor.features(TextParameters(model="sentence-transformers/all-MiniLM-L6-v2"))
    assert named[0].inference_name == "all-MiniLM-L6-v2"


def test_token_vectors_are_stored_where_they_are_asked_for(models: LocalModels) -> None:
    extractor, parameters = TextExtractor(models), TextParameters(token_vectors=True)
    spec = extractor.features(parameters)[2]
    assert (spec.name, spec.kind, spec.dimensions) == ("token_vectors", VectorKind.MULTI_DENSE, 384)
    assert spec.inference_name == "all-MiniLM-L6-v2#tokens"
    source = item("Bread knives cut bread.")
    (segments,) = extractor.extract([source], parameters, models)
    assert not isinstance(segments, ExtractionFailure)
    rows = segments[0].vectors["token_vectors"]
    assert isinstance(rows, MultiDense)
    # bread, knives, cut, bread, full stop.
    assert rows.values.shape == (5, 384)
    query = models.late_interaction(spec.inference_name).embed_query("Bread knives cut bread.")
    assert max_sim(query, rows.values) == pytest.approx(5.0, abs=1e-4)
