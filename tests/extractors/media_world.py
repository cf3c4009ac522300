"""Extractors of media with real decoders and models, and a tiny model that looks at pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tamis.decoding.pool import DecoderPool
from tamis.decoding.sniffing import content_type
from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceFile, SourceItem
from tamis.inference.models import LocalModels
from tests.inference.joint_model import joint_model


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecoderPool]:
    pool = DecoderPool(tmp_path_factory.mktemp("decoding") / "work", workers=1)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def media_models(tmp_path_factory: pytest.TempPathFactory) -> LocalModels:
    """With `eyes`, to which a picture is its mean colour and a word is a colour."""
    folder = tmp_path_factory.mktemp("models")
    joint_model(folder / "eyes")
    return LocalModels(folder, threads=1)


def item(name: str, path: Path) -> SourceItem:
    return SourceItem(path.name, {}, {name: SourceFile(path, path.stat().st_size, content_type(path))})


def extracted(extractor: Extractor, source: SourceItem, models: LocalModels, **parameters: object) -> list[Segment]:
    [answer] = extractor.extract([source], extractor.Parameters(**parameters), models)
    assert not isinstance(answer, ExtractionFailure), answer
    for segment in answer:
        declared = {feature.name for feature in extractor.features(extractor.Parameters(**parameters))}
        assert set(segment.vectors) <= declared
        known = extractor.output_schema(extractor.Parameters(**parameters))["properties"]
        assert isinstance(known, dict)
        assert set(segment.fields) <= set(known)
    return list(answer)


def failure(extractor: Extractor, source: SourceItem, models: LocalModels, **parameters: object) -> ExtractionFailure:
    [answer] = extractor.extract([source], extractor.Parameters(**parameters), models)
    assert isinstance(answer, ExtractionFailure)
    return answer
