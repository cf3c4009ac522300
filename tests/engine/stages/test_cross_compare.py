"""Documents against a reference collection, on real documents and exact vectors."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError as Invalid

from tamis.engine.matching.reference_matching import feature_uri
from tamis.engine.stage import Outcome
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import NotFoundError, ValidationError
from tamis.model.document import DocumentWrite
from tamis.model.hits import Hits
from tamis.model.json import JSON
from tamis.model.vector import Dense
from tests.engine.stages.shop import FEATURES, Shop, collection, document, hit

COMPARE: dict[str, Any] = {"reference_collection_id": "products", "source_field": "text", "reference_field": "text"}


async def compared(shop: Shop, *texts: JSON, **parameters: Any) -> Outcome:
    """Of documents `d0`, `d1`, ... with these texts."""
    hits = Hits.of(hit(f"d{n}", text=text) for n, text in enumerate(texts))
    return await shop.run("cross_compare", {**COMPARE, **parameters}, hits, stage_index=1)


async def test_the_cascade_ends_at_the_first_match(shop: Shop) -> None:
    outcome = await compared(
        shop, "Bread KNIFE", "bread knives", "road shoes", "zzz", match_tiers=["exact", "fuzzy", "semantic"]
    )
    found = [
        (one.extra["source_content"], one.extra["match_tier"], one.extra["reference_document_id"])
        for one in outcome.hits
    ]
    assert found == [
        ("Bread KNIFE", "exact", "p3"), ("bread knives", "fuzzy", "p3"), ("road shoes", "semantic", "p1"),
        ("zzz", "none", None),
    ]  # fmt: skip
    assert [one.extra["classification"] for one in outcome.hits] == [
        "exact_match", "close_match", "exact_match", "no_match",
    ]  # fmt: skip
    # `bread knife` and `bread knives` share ten characters: 2 * 10 / 23 is 0.8696.
    assert outcome.hits[1].score == pytest.approx(20 / 23)
    assert outcome.metadata["tiers"] == {"exact": 1, "fuzzy": 1, "semantic": 1, "none": 1}


async def test_a_finding_has_all_its_fields(shop: Shop) -> None:
    source = hit("d0", text="bread knife", start_time=83, transcript="take the bread knife")
    outcome = await shop.run("cross_compare", COMPARE, Hits((source,)), stage_index=1)
    (found,) = outcome.hits
    assert (found.id, found.document, found.score) == ("d0#0", None, 1.0)
    assert found.extra == {
        "source_document_id": "d0", "element_type": "text", "source_content": "bread knife", "source_location": "83",
        "reference_match": "bread knife", "reference_url": "p3", "reference_document_id": "p3", "match_tier": "exact",
        "match_score": 1.0, "classification": "exact_match", "confidence": 1.0,
        "signals": {"context_match": True, "workflow_match": False, "transcript_match": True},
    }  # fmt: skip
    assert "1 findings stand in its place" in str(outcome.metadata[DROPPED])


async def test_enrich_keeps_every_document(shop: Shop) -> None:
    outcome = await compared(
        shop, "bread knife\nzzz", None, extraction_mode="lines", output_mode="enrich", output_field="metadata.seen.it"
    )
    first, second = outcome.hits
    seen = first.extra["seen"]
    assert isinstance(seen, dict)
    assert isinstance(seen["it"], list)
    assert [one["match_tier"] for one in seen["it"] if isinstance(one, dict)] == ["exact", "none"]
    assert not second.extra


async def test_only_documents_and_references_of_a_type(shop: Shop) -> None:
    new = document("p9", "col_a", 9, {"text": "zzz", "doc_type": "guide", "url": "https://example.com/zzz"})
    await shop.put("col_a", [DocumentWrite(new, {"embedding": Dense(np.array([0, 0, 1], dtype=np.float32))})])
    hits = Hits((hit("d0", text="zzz", doc_type="scene"), hit("d1", text="zzz")))
    typed = {**COMPARE, "source_doc_type_filter": "scene", "reference_doc_type": "guide"}
    outcome = await shop.run("cross_compare", typed, hits, stage_index=1)
    assert [(one.id, one.extra["reference_url"]) for one in outcome.hits] == [("d0#0", "https://example.com/zzz")]
    assert outcome.metadata["references"] == 1
    kept = await shop.run("cross_compare", {**typed, "output_mode": "enrich"}, hits, stage_index=1)
    assert [one.id for one in kept.hits if one.extra] == ["d0"]
    assert len(kept.hits) == 2


async def test_a_document_is_not_its_own_match(shop: Shop) -> None:
    products = await shop.run("attribute_filter", {"field": "text", "operator": "eq", "value": "bread knife"})
    outcome = await shop.run(
        "cross_compare", {**COMPARE, "match_tiers": ["exact", "semantic"]}, products.hits, stage_index=1
    )
    assert [one.extra["match_tier"] for one in outcome.hits] == ["none"]


async def test_looks_by_stored_vectors(shop: Shop) -> None:
    found = await shop.run("attribute_filter", {"field": "brand", "operator": "eq", "value": "Blade"})
    visual = {
        **COMPARE, "match_tiers": ["visual"], "image_vector_index": "embedding", "visual_threshold": 0.5,
        "structure_vector_index": "multilingual_e5", "reference_collection_id": "more",
    }  # fmt: skip
    outcome = await shop.run("cross_compare", visual, found.hits, stage_index=1)
    # p3 is (0, 1, 0) and p4 (0.6, 0.8, 0): 0.8 by both features; p4 itself is in `more`, the next is p2 at 0.48.
    rows = [(one.extra["source_document_id"], one.extra["match_tier"], one.score) for one in outcome.hits]
    assert rows[0][:2] == ("p3", "visual")
    assert rows[0][2] == pytest.approx(0.8)
    assert rows[1] == ("p4", "none", 0.0)
    assert outcome.hits[0].extra["element_type"] == "visual"


async def test_a_tier_that_cannot_be_had_is_told(shop: Shop) -> None:
    outcome = await compared(shop, "zzz", include_visual_comparison=True)
    assert [one.extra["match_tier"] for one in outcome.hits] == ["none"]
    assert "has no feature 'facebook__dinov2_base'; it has mixpeek://" in " ".join(outcome.warnings)
    unstored = await compared(shop, "zzz", match_tiers=["visual"], image_vector_index="embedding", dinov2_weight=0)
    assert "1 documents have no vector" in " ".join(unstored.warnings)


async def test_no_references_no_documents_no_collection(shop: Shop) -> None:
    none = await compared(shop, "zzz", reference_doc_type="nothing of this")
    assert [one.extra["classification"] for one in none.hits] == ["no_match"]
    assert not (await compared(shop)).hits
    with pytest.raises(NotFoundError):
        await compared(shop, "zzz", reference_collection_id="col_x")


async def test_limits_are_told(shop: Shop) -> None:
    many = await compared(shop, *["zzz"] * 51, output_mode="enrich", reference_limit=1)
    assert [bool(one.extra) for one in many.hits] == [True] * 50 + [False]
    assert "first 50 of 51" in many.warnings[0]
    assert "reference_limit = 1" in many.warnings[1]
    long = await compared(shop, "\n".join(map(str, range(201))), extraction_mode="lines")
    assert len(long.hits) == 200
    assert "first 200 of 201" in long.warnings[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference_collection_id": ""}, {"match_tiers": []}, {"match_tiers": ["exact", "exact"]},
        {"match_tiers": ["audio"]}, {"fuzzy_threshold": 2}, {"dinov2_weight": 0, "siglip_weight": 0},
        {"dinov2_weight": float("nan")}, {"classifications": [{"label": "x"}]},
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await compared(shop, "zzz", **wrong)


def test_a_feature_by_any_of_its_names() -> None:
    one = collection("col_a", "products")
    uri = "mixpeek://text_extractor@v1/embedding"
    for name in (None, uri, "embedding", "Multilingual-E5", "themes"):
        assert feature_uri(name, one) == uri
    with pytest.raises(ValidationError, match="it has mixpeek://"):
        feature_uri("lexical", one)
    assert FEATURES[0].name == "embedding"
