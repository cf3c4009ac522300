"""One document for each source, and nothing of its own in it."""

from collections.abc import Sequence

import pytest

from tamis.engine.ports.extraction import Extractor, Segment, SourceItem
from tamis.extractors.passthrough_extractor import PassthroughExtractor, PassthroughParameters
from tamis.inference.models import LocalModels
from tamis.testing.extractor_contract import ExtractorContract


class TestContract(ExtractorContract):
    @pytest.fixture
    def extractor(self) -> Extractor:
        return PassthroughExtractor()

    @pytest.fixture
    def good(self) -> Sequence[SourceItem]:
        return [SourceItem("a", {}), SourceItem("b", {"text": "unread"})]


def test_it_makes_nothing(models: LocalModels) -> None:
    extractor = PassthroughExtractor()
    assert extractor.features(PassthroughParameters()) == ()
    assert extractor.extract([SourceItem("a", {"x": 1})], PassthroughParameters(), models) == [[Segment({})]]
