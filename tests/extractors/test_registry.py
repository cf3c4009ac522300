"""Extractors by name."""

import re

from tamis.api.schemas.extractor import extractor_model
from tamis.extractors import ExtractorRegistry


def test_names_with_and_without_the_suffix() -> None:
    registry = ExtractorRegistry()
    for extractor in registry.all():
        assert registry.get(extractor.name, extractor.version) is extractor
        assert registry.get(extractor.name.removesuffix("_extractor"), extractor.version) is extractor
        assert registry.get(extractor.name, "v99") is None
    assert registry.get("no_such", "v1") is None
    assert {"text_extractor", "image_extractor"} <= {extractor.name for extractor in registry.all()}


def test_the_catalogue_says_what_each_costs_and_where_it_stops() -> None:
    for extractor in ExtractorRegistry().all():
        shown = extractor_model(extractor)
        assert shown.costs is not None, extractor.name
        assert shown.costs.tier_label
        assert shown.source == "builtin"
        # A limit's name says what is counted, so that a number alone can be understood.
        assert all(re.fullmatch(r"[a-z_]+", name) and limit > 0 for name, limit in shown.limits.items())
