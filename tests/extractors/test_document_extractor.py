"""Documents to pages, blocks and passages: fields, places, features, pictures of text, and what is refused."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.extractors.document_extractor import DocumentExtractor, DocumentParameters
from tamis.extractors.text_extractor import TextExtractor, TextParameters
from tamis.inference.models import LocalModels
from tamis.model.vector import Dense
from tamis.testing.extractor_contract import ExtractorContract
from tests.decoding.test_office import write_docx, write_pptx, write_xlsx
from tests.pdf_samples import write_pdf, write_scan
from tests.shared_data import shared
from tests.source_files import on_disk, source_file


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoding]:
    pool = DecoderPool(tmp_path_factory.mktemp("decoding"), workers=1, timeout_s=20.0)
    yield pool
    pool.close()


def item(path: Path) -> SourceItem:
    return SourceItem("src", {}, {"document": source_file(path)})


def sample(name: str) -> SourceItem:
    [found] = shared("data/pdfs").glob(f"pypdf_{name}-*.pdf")
    return item(found)


def outcome(
    models: LocalModels, decoding: Decoding, source: SourceItem, **parameters: Any
) -> Sequence[Segment] | ExtractionFailure:
    chosen = DocumentParameters.model_validate({"ocr": "never", "generate_thumbnails": False, **parameters})
    [found] = DocumentExtractor(models, decoding).extract([source], chosen, models)
    return found


def extract(models: LocalModels, decoding: Decoding, source: SourceItem, **parameters: Any) -> Sequence[Segment]:
    found = outcome(models, decoding, source, **parameters)
    assert not isinstance(found, ExtractionFailure), found.message
    return found


class TestContract(ExtractorContract):
    @pytest.fixture
    def extractor(self, decoding: Decoding) -> Extractor:
        return DocumentExtractor(decoding=decoding)

    @pytest.fixture
    def good(self, tmp_path: Path) -> Sequence[SourceItem]:
        made = [
            write_docx(tmp_path / "a.docx"), write_pptx(tmp_path / "a.pptx"), write_xlsx(tmp_path / "a.xlsx"),
            write_pdf(tmp_path / "a.pdf", [[(100, 700, "a page with some words on it")]]),
        ]  # fmt: skip
        text = SourceItem("src", {}, {"document": on_disk("Ọmọ, plain text of some length.".encode(), tmp_path)})
        return [*(item(path) for path in made), text]

    @pytest.fixture
    def bad(self, tmp_path: Path) -> Sequence[SourceItem]:
        damaged = [b"%PDF-1.7 and no more", b"", b"\x89PNG\r\n\x1a\n" + bytes(40), b"PK\x03\x04word/" + bytes(80)]
        files = [SourceItem("src", {}, {"document": on_disk(data, tmp_path)}) for data in damaged]
        return [*files, SourceItem("src", {}), SourceItem("src", {"document": "only a name"})]


class TestContractInBlocks(TestContract):
    @pytest.fixture
    def parameters(self, extractor: Extractor) -> DocumentParameters:
        return DocumentParameters(split_by="blocks")


class TestContractInPassages(TestContract):
    @pytest.fixture
    def parameters(self, extractor: Extractor) -> DocumentParameters:
        return DocumentParameters(split_by="tokens", chunk_size=16, chunk_overlap=4)


def test_one_document_a_page_with_its_blocks(models: LocalModels, decoding: Decoding) -> None:
    pages = extract(models, decoding, sample("026"), generate_thumbnails=True)
    assert [page.fields["page_number"] for page in pages] == [1, 2, 3]
    assert {(page.fields["page_count"], page.fields["source"]) for page in pages} == {(3, "native")}
    first, third = pages[0].fields, pages[2].fields
    blocks: Any = first["blocks"]
    tables: Any = third["blocks"]
    text = str(first["text"])
    assert [text[block["start_char"] : block["end_char"]] for block in blocks[:3]] == [
        "Two-Column Document with Lorem Ipsum", "Your Name", "January 3, 2024"
    ]  # fmt: skip
    assert [block["object_type"] for block in blocks[:4]] == ["header", "paragraph", "paragraph", "header"]
    [table] = [block for block in tables if block["object_type"] == "table"]
    assert table["rows"][1] == ["Austria", "8.9", "83,879", "Vienna", "German"]
    [thumbnail] = pages[0].files
    assert (thumbnail.content_type, thumbnail.role, thumbnail.data[:3]) == ("image/jpeg", "thumbnail", b"\xff\xd8\xff")


def test_one_document_a_block_or_a_passage(models: LocalModels, decoding: Decoding) -> None:
    blocks = extract(models, decoding, sample("006"), split_by="blocks")
    foo = next(block.fields for block in blocks if block.fields["text"] == "1 Foo")
    assert (foo["object_type"], foo["page_number"]) == ("header", 2)
    assert foo["bbox"] == {"x": 124.8, "y": 703.35, "width": 49.57, "height": 12.74}
    passages = extract(models, decoding, sample("006"), split_by="words", chunk_size=40, chunk_overlap=10)
    second = [passage.fields for passage in passages if passage.fields["page_number"] == 2]
    assert [fields["chunk_index"] for fields in second] == list(range(len(second)))
    assert {len(str(fields["text"]).split()) for fields in second[:-1]} == {40}
    bbox: Any = second[0]["bbox"]
    assert bbox["y"] > 400  # only what the passage touches, in the upper half of the page


def test_its_features_are_those_of_texts(models: LocalModels, decoding: Decoding) -> None:
    extractor = DocumentExtractor(models, decoding)
    assert extractor.features(DocumentParameters()) == TextExtractor().features(TextParameters())
    [page] = extract(models, decoding, sample("020"))
    text = SourceItem("src", {"text": "Hello, World!"})
    [[same]] = TextExtractor().extract([text], TextParameters(), models)  # type: ignore[misc]
    for name in ("embedding", "lexical"):
        one, other = page.vectors[name], same.vectors[name]
        np.testing.assert_array_equal(one.values, other.values)


def test_all_of_a_long_page_counts_in_its_vector(models: LocalModels, decoding: Decoding) -> None:
    page = extract(models, decoding, sample("026"))[1]
    vector = page.vectors["embedding"]
    assert isinstance(vector, Dense)
    assert float(np.linalg.norm(vector.values)) == pytest.approx(1, abs=1e-5)
    beginning = models.embedder().embed_documents([str(page.fields["text"])])[0]
    assert float(vector.values @ beginning) < 0.99


def test_a_page_without_text_is_read_in_its_picture(models: LocalModels, decoding: Decoding, tmp_path: Path) -> None:
    lines = [(60, 800, "Warranty certificate"), (60, 780, "Serial number 83 1177")]
    scan = write_scan(tmp_path / "scan.pdf", write_pdf(tmp_path / "text.pdf", [lines]), dpi=120, upper=0.12)
    [page] = extract(models, decoding, item(scan), ocr="auto", render_dpi=120)
    assert page.fields["source"] == "ocr"
    assert str(page.fields["text"]).split() == ["Warranty", "certificate", "Serial", "number", "83", "1177"]
    assert isinstance(page.fields["confidence_score"], float)
    assert page.fields["confidence_score"] > 0.9
    bbox: Any = page.fields["bbox"]
    assert bbox["x"] == pytest.approx(60, abs=3)
    [unread] = extract(models, decoding, item(scan))
    assert (unread.fields["source"], unread.fields["text"], unread.vectors) == ("none", "", {})


def test_forms_attachments_and_what_the_file_says_of_itself(models: LocalModels, decoding: Decoding) -> None:
    [form] = extract(models, decoding, sample("010"))
    assert form.fields["form_fields"] == [
        {"name": "Name", "value": "", "type": "text"}, {"name": "Check", "value": "no", "type": "checkbox"}
    ]  # fmt: skip
    [attached] = extract(models, decoding, sample("025"))
    assert attached.fields["attachments"] == [{"name": "image.png", "size_bytes": 6669}]
    assert extract(models, decoding, sample("015"))[0].fields["document_title"] == "habibi"


def test_what_cannot_be_read_fails_with_a_reason(models: LocalModels, decoding: Decoding, tmp_path: Path) -> None:
    encrypted = outcome(models, decoding, sample("005"))
    assert encrypted == ExtractionFailure("the PDF is protected by a password", "validation")
    picture = tmp_path / "named.pdf"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    mislabelled = outcome(models, decoding, item(picture))
    assert isinstance(mislabelled, ExtractionFailure)
    assert mislabelled.message.startswith("the file is image/png by its content; PDF, docx")


def test_parameters_that_do_not_fit_are_refused() -> None:
    for wrong, reason in (
        ({"chunk_size": 5}, "are for passages"), ({"split_by": "words", "chunk_overlap": 100}, "must be less than"),
        ({"use_vlm_correction": True}, "a model that corrects text"), ({"thumbnails": 1}, "Extra inputs"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=reason):
            DocumentParameters.model_validate(wrong)
    DocumentParameters.model_validate({"use_vlm_correction": False})
