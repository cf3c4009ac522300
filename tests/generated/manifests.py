"""Manifests of a namespace `any`, with one of everything that a manifest carries, said in the words that YAML is
likeliest to take for something else.
"""

from typing import Any

from hypothesis import strategies as st

_SAID = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20) | st.sampled_from(
    ["yes", "null", "~", "1e3", "2024-01-31", " x ", "a: b", "# no", "- x", "*x", "a\nb\n", "'", "\u2028", "!!str"]
)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | _SAID,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_SAID, inner, max_size=2),
    max_leaves=5,
)
_METADATA = st.dictionaries(_SAID.filter(bool), _VALUE, max_size=3)
_TYPES = st.sampled_from(["text", "number", "boolean", "datetime"])
_PASSES = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    fields = draw(st.dictionaries(st.sampled_from("abcd"), _TYPES, min_size=1))
    said = {"description": draw(_SAID), "metadata": draw(_METADATA)}
    condition = {"field": draw(st.sampled_from(sorted(fields))), "operator": "eq", "value": draw(_SAID)}
    stage = {"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": condition}}
    nests = draw(st.booleans())
    return {
        "version": "1.0",
        "namespaces": [{"name": "any", "description": draw(_SAID)}],
        "buckets": [
            {"name": "goods-in", **said, "schema": {"properties": {name: {"type": of} for name, of in fields.items()}}}
        ],
        "collections": [
            {"name": f"goods-{place}", **said, "enabled": draw(st.booleans()), "feature_extractor": _PASSES}
            | {"source": {"type": "bucket", "bucket_ids": ["goods-in"]}}
            for place in range(draw(st.integers(1, 2)))
        ],
        "retrievers": [{"name": "finder", "description": said["description"], "stages": [stage]}],
        "clusters": [
            {"name": "kinds", **said, "collection_ids": ["goods-0"], "cluster_type": "attribute"}
            | {"attribute_config": {"attributes": sorted(fields), "hierarchical_grouping": nests}}
        ],
        "datasets": [{"name": "asked", **said, "queries": draw(_queries())}],
    }


@st.composite
def _queries(draw: st.DrawFn) -> list[dict[str, Any]]:
    words = draw(st.lists(_SAID.filter(bool), min_size=1, max_size=3))
    return [
        {"query_id": f"q{place}", "query_input": {"word": word}, "relevant_documents": [word]}
        | {"relevance_scores": {word: draw(st.integers(-10, 1000))}}
        for place, word in enumerate(words)
    ]
