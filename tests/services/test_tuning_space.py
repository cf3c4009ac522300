"""What is tried of a pipeline: each thing once, likelier ones first."""

from tamis.engine.stages.rerank import RerankParameters
from tamis.model.retriever import Definition
from tamis.services.learning.tuning_space import candidates
from tests.engine.stages.shop import URI
from tests.retrieval_world import specs, stage

_BOTH = [{"feature_uri": URI, "query": "{{INPUT.q}}", "lexical": is_lexical} for is_lexical in (False, True)]


def definition(*stages: dict[str, object]) -> Definition:
    return Definition(specs(*stages))


def changes(found: Definition) -> list[str]:
    return ["; ".join(one.changes) for one in candidates(found, 200)]


def test_a_reranker_is_tried_deeper_less_deep_and_not_at_all() -> None:
    reranked = stage("rerank", query="{{INPUT.q}}")
    tried = changes(definition(stage("feature_search", searches=_BOTH[:1]), reranked))
    name = reranked["stage_name"]
    assert RerankParameters().max_candidates == 100
    assert [one for one in tried if "max_candidates" in one] == [f"{name}: max_candidates {n}" for n in (20, 50)]
    assert f"without {name}" in tried


def test_the_pipeline_itself_and_the_default_hybrid_come_first_and_nothing_twice() -> None:
    found = candidates(definition(stage("feature_search", searches=_BOTH, fusion="rrf")), 200)
    assert (found[0].changes, found[1].is_default) == ((), True)
    assert len({repr(one.definition) for one in found}) == len(found)
    assert len(candidates(found[0].definition, 5)) == 5
