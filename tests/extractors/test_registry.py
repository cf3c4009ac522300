"""Extractors by name."""

from tamis.extractors import ExtractorRegistry


def test_names_with_and_without_the_suffix() -> None:
    registry = ExtractorRegistry()
    for extractor in registry.all():
        assert registry.get(extractor.name, extractor.version) is extractor
        assert registry.get(extractor.name.removesuffix("_extractor"), extractor.version) is extractor
        assert registry.get(extractor.name, "v99") is None
    assert registry.get("image", "v1") is None
    assert {extractor.name for extractor in registry.all()} == {"text_extractor", "passthrough_extractor"}
