"""Feature URIs against collections."""

from dataclasses import replace

import pytest

from tamis.engine.querying.features import feature_uris, resolve_feature
from tamis.errors import ValidationError
from tamis.model.vector import FeatureSpec, Space, VectorKind
from tests.engine.stages.shop import URI, collection

TEXT = collection("col_a", "products")
PLAIN = collection("col_b", "files", extractor="passthrough_extractor")


@pytest.mark.parametrize(
    "uri",
    [URI, "mixpeek://text_extractor@v1", "mixpeek://text@v1/embedding", "mixpeek://text_extractor@v1/multilingual_e5"],
)
def test_every_spelling_means_the_dense_feature(uri: str) -> None:
    feature = resolve_feature(uri, [PLAIN, TEXT])
    assert feature.name == URI
    assert [(one.collection_id, spec.name) for one, spec in feature.targets] == [("col_a", "embedding")]


@pytest.mark.parametrize("uri", [URI, "mixpeek://text_extractor@v1", "mixpeek://text@v1/multilingual_e5"])
def test_lexical_means_the_sparse_feature_behind_it(uri: str) -> None:
    feature = resolve_feature(uri, [TEXT], lexical=True)
    assert [spec.name for _, spec in feature.targets] == ["lexical"]
    assert feature.name.endswith("#lexical")


def test_the_sparse_feature_has_a_name_of_its_own() -> None:
    assert resolve_feature("mixpeek://text_extractor@v1/lexical", [TEXT]).targets[0][1].kind is VectorKind.SPARSE


def test_an_omitted_output_needs_a_single_dense_feature() -> None:
    two = replace(TEXT, features=(*TEXT.features, FeatureSpec("other", VectorKind.DENSE, 3)))
    with pytest.raises(ValidationError, match=r"the features there are: .*embedding, .*lexical, .*other"):
        resolve_feature("mixpeek://text_extractor@v1", [two])
    assert resolve_feature("mixpeek://text_extractor@v1/other", [two]).targets[0][1].name == "other"


def test_an_omitted_output_is_the_one_of_texts_beside_looks_and_sounds() -> None:
    looks = FeatureSpec("looks", VectorKind.DENSE, 3, space=Space.VISUAL)
    both = replace(TEXT, features=(looks, *TEXT.features))
    assert resolve_feature("mixpeek://text_extractor@v1", [both]).name == URI
    alone = replace(TEXT, features=(looks,))
    assert resolve_feature("mixpeek://text_extractor@v1", [alone]).targets[0][1] is looks


@pytest.mark.parametrize("uri", ["mixpeek://image_extractor@v1", "mixpeek://text_extractor@v2", f"{URI}_2"])
def test_an_unknown_feature_names_those_there_are(uri: str) -> None:
    with pytest.raises(ValidationError, match=URI) as caught:
        resolve_feature(uri, [TEXT], loc=["searches", 0, "feature_uri"])
    assert caught.value.problems[0]["loc"] == ["searches", 0, "feature_uri"]


def test_lexical_does_not_excuse_an_unknown_output() -> None:
    with pytest.raises(ValidationError, match="lexical feature behind"):
        resolve_feature("mixpeek://text_extractor@v1/nothing", [TEXT], lexical=True)


def test_no_collection_at_all() -> None:
    with pytest.raises(ValidationError, match="collection_identifiers"):
        resolve_feature(URI, [])


def test_no_uri_at_all() -> None:
    with pytest.raises(ValidationError, match="extractor@version"):
        resolve_feature("embedding", [TEXT])


def test_the_uris_of_a_collection() -> None:
    assert feature_uris(TEXT) == [URI, "mixpeek://text_extractor@v1/lexical", "mixpeek://text_extractor@v1/tokens"]
    assert feature_uris(PLAIN) == []
