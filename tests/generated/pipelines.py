"""Random valid pipelines over whatever stages the registry holds.

A stage starts from its worked example, or from the points in `STARTS` that suit the shop better, and has a few of its
parameters drawn anew from its own schema; so a new stage takes part as soon as it is in the registry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from tamis.engine.stage import Stage
from tamis.engine.stages import STAGES
from tamis.model.retriever import Budget
from tests.engine.stages.shop import URI
from tests.generated.schemas import is_valid, parameters_of

INPUTS: dict[str, Any] = {"q": "running kitchen", "most": 50, "none": None}


def _search(query: Any = "running shoes", **more: Any) -> dict[str, Any]:
    return {"searches": [{"feature_uri": URI, "query": query, "top_k": 50}], **more}


def _condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


STARTS: Mapping[str, Sequence[dict[str, Any]]] = {
    "feature_search": (
        _search(),
        _search("{{INPUT.q}}", final_top_k=3),
        _search(facets=["brand"]),
        _search(fuse_by="brand"),
        _search({"input_mode": "text", "value": "bread knife"}, group_by={"field": "brand", "max_per_group": 1}),
        {"searches": [*_search()["searches"], *_search("日本語", final_top_k=3)["searches"]], "fusion": "rrf"},
    ),
    "attribute_filter": (
        _condition("price", "lte", "{{INPUT.most}}"),
        _condition("brand", "is_null", True),
        _condition("text", "contains", "{{DOC.brand}}"),
        {"NOT": [_condition("brand", "in", ["Sole", None])]},
        {"OR": [_condition("tags", "eq", "knife"), _condition("no.such", "exists", False)]},
        {"natural_language": "{{INPUT.q}}, at most {{INPUT.most}}", "field_hints": ["price"]},
    ),
    "rerank": (
        {"inference_name": "shared-words", "query": "bread knife", "document_field": "text", "top_k": 3},
        {"decision_model": "stub-1", "query": "{{INPUT.q}}", "relevance_criteria": "It is for runners."},
    ),
    "external_web_search": (
        {"query": "{{INPUT.q}}", "num_results": 5},
        {"query": "{INPUT.q} by {{DOC.brand}}", "num_results": 2, "on_error": "raise"},
    ),
    "external_reverse_image": (
        {"image_url": "https://example.com/knife.jpg", "top_k": 3},
        {"image_url": "{{DOC.text}}", "top_k": 2},
    ),
}
OPENINGS = ("feature_search", "attribute_filter", "external_web_search")


@dataclass(frozen=True, slots=True)
class Generated:
    """raw: the stages as a request has them.  max_credits: of its budget."""

    raw: tuple[dict[str, Any], ...]
    max_credits: float | None = None

    @property
    def budget(self) -> Budget | None:
        return None if self.max_credits is None else Budget(max_credits=self.max_credits)


def starts_of(stage_id: str, stage: type[Stage]) -> tuple[dict[str, Any], ...]:
    """Where this stage's random parameters begin. Raises: AssertionError, what to do, where there is nothing valid."""
    example: dict[str, Any] = getattr(stage, "example", {"without": "example"})
    given = STARTS.get(stage_id) or (example,)
    valid = tuple(one for one in given if is_valid(stage, one))
    assert len(valid) == len(given), (
        f"the stage {stage_id!r} has no parameters to make pipelines of: give it an `example` that its `Parameters` "
        f"accept, or valid ones in STARTS of {__name__}"
    )
    return valid


def _step(stage_id: str, start: int, seed: int, changes: int, is_optional: bool) -> dict[str, Any]:
    stage = STAGES[stage_id]
    starts = starts_of(stage_id, stage)
    chance = Random(f"{stage_id} {seed}")
    parameters = parameters_of(stage, starts[start % len(starts)], chance, changes)
    options: dict[str, Any] = {"on_error": "skip"} if is_optional else {}
    if seed % 7 == 0:
        options["when"] = chance.choice([False, "{{ CONTEXT.document_count > 3 }}", "{{ INPUT.q }}x", "true"])
    return {"stage_name": stage_id, "config": {"stage_id": stage_id, "parameters": parameters, **options}}


def _numbered(first: dict[str, Any], later: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return (first, *({**one, "stage_name": f"{one['stage_name']}_{n}"} for n, one in enumerate(later, 1)))


def _steps(stage_ids: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    seeds, changes = st.integers(0, 1 << 20), st.integers(0, 4)
    return st.builds(_step, st.sampled_from(stage_ids), st.integers(0, 7), seeds, changes, st.integers(0, 5).map(bool))


def pipelines() -> st.SearchStrategy[Generated]:
    """Shrinks to few stages, with the parameters that they start from."""
    raw = st.builds(_numbered, _steps(OPENINGS), st.lists(_steps(sorted(STAGES)), max_size=4))
    # Mostly none: a run that its budget cuts says nothing of the stages after that.
    budgets = st.integers(0, 9).map(lambda n: 0.02 * n if n > 6 else None)
    return st.builds(Generated, raw, budgets)
