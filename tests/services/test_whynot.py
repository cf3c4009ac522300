import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.planning.definition import from_json
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.verdicts.verdict import VerdictKind
from tamis.errors import ConflictError, NotFoundError, StageError
from tamis.executions.codec import decode
from tamis.inference.lexical import Bm25Encoder
from tamis.model.document import DocumentWrite
from tamis.model.edits import Edit, applied
from tamis.model.retriever import Budget
from tamis.model.vector import Dense, Vector
from tamis.services.records.whynot import PAGE, Why
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.result_pages import PageMethod, PageRequest
from tests.engine.stages.shop import PRINCIPAL, URI, document
from tests.retrieval_world import Wait, WallClock, World, opened, search, specs, stage

ALL = PageRequest(PageMethod.OFFSET, None)
BRANDS = ("Sole", "Blade", "Kobo", None)
MORE = 18


def write(document_id: str, collection_id: str, number: int) -> DocumentWrite:
    text = ("running shoes", "bread knife", "a novel")[number % 3] + f" number {number % 5}"
    fields: dict[str, Any] = {"text": text, "brand": BRANDS[number % 4], "price": number * 7 % 50}
    vector = np.array([1.0, number % 7 / 4, number % 3], dtype=np.float32)
    vectors: dict[str, Vector] = {
        "embedding": Dense(vector / np.float32(np.linalg.norm(vector))), "lexical": Bm25Encoder().encode_document(text),
    }  # fmt: skip
    return DocumentWrite(document(document_id, collection_id, number, fields), vectors)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        for collection_id, odd in (("col_a", 0), ("col_b", 1)):
            writes = [write(f"q{n:02}", collection_id, n) for n in range(odd, MORE, 2)]
            await world.shop.put(collection_id, writes)
        yield world


async def run(world: World, *raw: dict[str, Any], **options: Any) -> Executed:
    return await world.executions.execute_anonymous(PRINCIPAL, specs(*raw), {}, RunOptions(**{"page": ALL, **options}))


async def why(world: World, executed: Executed, document_id: str) -> Why:
    return await world.why.why(PRINCIPAL, executed.execution_id, document_id)


async def changed(world: World, executed: Executed, edits: tuple[Edit, ...]) -> list[str]:
    """The ids that the changed definition answers, executed as a caller would."""
    record = decode(await world.records.get_anonymous(PRINCIPAL, executed.execution_id))
    own = [edit for edit in edits if edit.path[0] != PAGE]
    definition = from_json(applied(dict(record.definition), own))
    options = RunOptions(page=ALL, collections=definition.collection_ids, budget=definition.budget)
    answer = await world.executions.execute_anonymous(PRINCIPAL, definition.stages, {}, options)
    return [hit.id for hit in answer.documents]


def verdict_of(answer: Why) -> tuple[VerdictKind, str]:
    (stopped,) = [one for one in answer.stages if one.stage_name == answer.stopped_at]
    return stopped.verdict.kind, stopped.verdict.reason


def edited(answer: Why) -> list[tuple[tuple[str | int, ...], Any, Any]]:
    assert answer.change is not None
    return [(edit.path, edit.before, edit.after) for edit in answer.change.edits]


# What a generated pipeline is made of: each stage with small limits, so that it shuts documents out.
_CONDITIONS = st.sampled_from([
    {"price": {"$lt": 20}}, {"brand": "Sole"}, {"brand": {"in": ["Sole", "Blade"]}}, {"NOT": [{"brand": "Sole"}]},
    {"OR": [{"price": {"gte": 30}}, {"brand": "Kobo"}]}, {"text": {"contains": "knife"}}, {"brand": {"exists": True}},
])  # fmt: skip
_TOP = st.integers(1, 12)


@st.composite
def _search(draw: st.DrawFn, name: str = "search") -> dict[str, Any]:
    one = st.fixed_dictionaries(
        {"feature_uri": st.just(URI), "query": st.sampled_from(["running shoes", "bread knife"]), "top_k": _TOP},
        optional={"lexical": st.booleans(), "min_score": st.sampled_from([0.3, 0.9]), "filters": _CONDITIONS},
    )
    more = draw(
        st.fixed_dictionaries(
            {"searches": st.lists(one, min_size=1, max_size=2), "final_top_k": _TOP},
            optional={
                "filters": _CONDITIONS,
                "fusion": st.sampled_from(["rrf", "dbsf", "max"]),
                "fuse_by": st.sampled_from(["brand", "price"]),
                "group_by": st.fixed_dictionaries(
                    {"field": st.sampled_from(["brand", "price"]), "limit": st.integers(1, 3)},
                    optional={"group_size": st.integers(1, 2), "output_mode": st.sampled_from(["first", "all"])},
                ),
            },
        )
    )
    return {**stage("feature_search", **more), "stage_name": name}


_LATER = st.one_of(
    st.builds(lambda n, o: stage("limit", limit=n, offset=o), _TOP, st.integers(0, 3)),
    st.builds(lambda c: stage("attribute_filter", conditions=c), _CONDITIONS),
    st.builds(lambda v: stage("attribute_filter", field="price", operator="lte", value=v), st.integers(0, 40)),
    st.builds(lambda f, k: stage("deduplicate", fields=[f], keep=k), st.sampled_from(["brand", "text"]),
              st.sampled_from(["first", "last"])),
    st.builds(lambda t: stage("deduplicate", strategy="content", content_field="text", similarity_threshold=t),
              st.sampled_from([0.5, 0.8, 1.0])),
    st.builds(lambda n, s: stage("sample", count=n, **s), st.integers(1, 6),
              st.sampled_from([{}, {"seed": 3}, {"strategy": "systematic"},
                               {"strategy": "stratified", "stratify_by": "brand"}])),
    st.builds(lambda m, g, o: stage("group_by", field="brand", max_per_group=m, max_groups=g, output_mode=o),
              st.integers(1, 3), st.integers(1, 3), st.sampled_from(["first", "all", "flatten"])),
    st.builds(lambda c: {**stage("sort_attribute", field="price"), "post_filters": c}, _CONDITIONS),
    st.builds(lambda c: {**stage("sort_relevance"), "pre_filters": c}, _CONDITIONS),
    st.just(stage("score_normalize")),
    st.just(stage("aggregate", aggregations=[{"function": "count", "alias": "n"}])),
)  # fmt: skip


@st.composite
def _pipelines(draw: st.DrawFn) -> list[dict[str, Any]]:
    first = draw(st.one_of(_search(), st.builds(lambda c: stage("attribute_filter", conditions=c), _CONDITIONS)))
    rest = draw(st.lists(_LATER, max_size=3))
    return [{**one, "stage_name": f"stage_{n}"} for n, one in enumerate([first, *rest])]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(_pipelines(), st.sampled_from([(), ("products",)]), st.data())
async def test_one_stage_stops_each_document_and_the_change_lets_it_further(
    world: World, pipeline: list[dict[str, Any]], collections: tuple[str, ...], data: st.DataObject
) -> None:
    executed = await run(world, *pipeline, collections=collections)
    record = decode(await world.records.get_anonymous(PRINCIPAL, executed.execution_id))
    answered = {hit.id for hit in executed.documents}
    names = [one["stage_name"] for one in pipeline]
    every = [f"p{n}" for n in range(1, 7)] + [f"q{n:02}" for n in range(MORE)]
    for document_id in data.draw(st.lists(st.sampled_from(every), min_size=4, max_size=4, unique=True)):
        answer = await why(world, executed, document_id)
        assert answer.returned == (document_id in answered) == (answer.stopped_at is None)
        assert [one.stage_name for one in answer.stages] == names
        assert answer.as_of.document == "unchanged"
        kinds = [one.verdict.kind for one in answer.stages]
        if answer.stopped_at is None:
            assert set(kinds) == {VerdictKind.PASSED}
            assert answer.rank == [hit.id for hit in executed.documents].index(document_id) + 1
            continue
        at = names.index(answer.stopped_at)
        assert set(kinds[:at]) <= {VerdictKind.PASSED}
        assert set(kinds[at + 1 :]) <= {VerdictKind.NOT_REACHED}
        assert kinds[at] not in (VerdictKind.PASSED, VerdictKind.NOT_REACHED, VerdictKind.CHANGED)
        received = {hit.id for hit in record.stages[at].received}
        assert (document_id in received) == (at > 0)
        assert document_id not in {hit.id for hit in record.stages[at].returned}
        change = answer.change
        if change is None:
            continue
        ids = await changed(world, executed, change.edits)
        assert (document_id in ids) == (change.outcome == "returned")
        if change.outcome == "stops_later":
            assert names.index(change.stopped_at or "") > at


async def test_a_search_says_rank_score_and_window_and_what_would_let_it_in(world: World) -> None:
    executed = await run(world, search(final_top_k=3))
    answer = await why(world, executed, "p4")
    kind, reason = verdict_of(answer)
    assert (kind, reason) == (VerdictKind.CUT, "it is number 12 by score, and final_top_k = 3 were kept")
    assert edited(answer) == [(("stages", 0, "parameters", "final_top_k"), 3, 12)]
    assert answer.change is not None
    assert (answer.change.outcome, answer.change.rank) == ("returned", 12)
    narrow = {**search(), "config": {"stage_id": "feature_search", "parameters": {
        "searches": [{"feature_uri": URI, "query": "running shoes", "top_k": 2}], "limit": 2}}}  # fmt: skip
    answer = await why(world, await run(world, narrow), "p4")
    kind, reason = verdict_of(answer)
    assert kind is VerdictKind.NEVER_A_CANDIDATE
    assert "number 12, and top_k = 2 were let in; the last one let in scores" in reason
    assert edited(answer) == [
        (("stages", 0, "parameters", "searches", 0, "top_k"), 2, 12),
        (("stages", 0, "parameters", "limit"), 2, 12),
    ]


async def test_below_min_score_without_a_word_in_common_and_in_another_collection(world: World) -> None:
    def one(**more: Any) -> dict[str, Any]:
        return stage("feature_search", searches=[{"feature_uri": URI, "query": "running shoes", **more}])

    answer = await why(world, await run(world, one(min_score=0.9)), "p4")
    assert verdict_of(answer) == (
        VerdictKind.BELOW_MIN_SCORE, f"it scores 0.6 by {URI}, below min_score = 0.9",
    )  # fmt: skip
    answer = await why(world, await run(world, one(lexical=True)), "p6")
    assert verdict_of(answer) == (VerdictKind.NO_MATCH, f"it shares no word with the query of {URI}")
    assert answer.change is None
    answer = await why(world, await run(world, one(), collections=("more",)), "p1")
    assert verdict_of(answer)[0] is VerdictKind.NOT_SEARCHED
    assert edited(answer)[0] == (("collection_ids",), ["col_b"], ["col_b", "col_a"])


async def test_the_clause_of_a_filter_with_its_value(world: World) -> None:
    wanted = {"AND": [{"field": "metadata.price", "operator": "lte", "value": 20}, {"NOT": [{"brand": "Blade"}]}]}
    executed = await run(world, search(), stage("attribute_filter", conditions=wanted))
    answer = await why(world, executed, "p1")
    assert verdict_of(answer) == (VerdictKind.FILTERED, "it fails conditions: 'price' is 90, not lte 20")
    place = ("stages", 1, "parameters", "conditions", "AND", 0, "value")
    assert edited(answer) == [(place, 20, 90)]
    answer = await why(world, executed, "p3")
    assert verdict_of(answer)[1] == "it fails conditions: 'brand' is 'Blade', and NOT eq 'Blade' is asked"
    plain = stage("attribute_filter", field="metadata.price", operator="lte", value=20)
    answer = await why(world, await run(world, search(), plain), "p1")
    assert verdict_of(answer)[1] == "it fails the condition: 'price' is 90, not lte 20"


async def test_deduplicated_by_which_and_grouped_where(world: World) -> None:
    answer = await why(world, await run(world, search(), stage("deduplicate", field="brand")), "p2")
    assert verdict_of(answer)[0] is VerdictKind.DUPLICATE
    (stopped,) = [one for one in answer.stages if one.stage_name == "deduplicate"]
    assert stopped.verdict.facts["fields"] == {"brand": "Sole"}
    grouped = stage("group_by", field="brand", docs_per_group=1, limit=9)
    answer = await why(world, await run(world, search(), grouped), "p2")
    kind, reason = verdict_of(answer)
    assert (kind, "in its group, and 1 of each is shown" in reason) == (VerdictKind.LOST_IN_GROUP, True)
    assert edited(answer)[0][0] == ("stages", 1, "parameters", "docs_per_group")


async def test_another_document_is_shown_of_the_same_thing(world: World) -> None:
    joined = search(fuse_by="brand")
    answer = await why(world, await run(world, joined), "p2")
    kind, reason = verdict_of(answer)
    assert (kind, reason) == (
        VerdictKind.LOST_IN_GROUP,
        "p1 is shown of the same 'brand', by the first search that has any",
    )


async def test_another_page(world: World) -> None:
    executed = await run(world, search(), page=PageRequest(PageMethod.OFFSET, 2))
    last = (await run(world, search())).documents[5].id
    answer = await why(world, executed, last)
    assert (answer.returned, answer.stopped_at, answer.rank) == (False, PAGE, 6)
    assert edited(answer) == [((PAGE, "limit"), 2, 6)]
    second = await run(world, search(), page=PageRequest(PageMethod.OFFSET, 2, 4))
    assert (await why(world, second, last)).returned
    first = await why(world, second, executed.documents[0].id)
    assert (first.stopped_at, first.rank) == (PAGE, 1)


async def test_a_document_made_changed_or_deleted_since(world: World) -> None:
    executed = await run(world, search(), stage("attribute_filter", field="price", operator="lte", value=20))
    new = write("new", "col_a", 0)
    made = replace(new.document, created_at=WallClock().now())
    await world.shop.put("col_a", [replace(new, document=made)])
    answer = await why(world, executed, "new")
    assert verdict_of(answer) == (VerdictKind.NOT_YET_THERE, "the execution ran before this document was made")
    assert (answer.as_of.document, answer.as_of.collections_changed) == ("created", True)
    assert answer.change is not None
    assert (answer.change.outcome, answer.change.edits) == ("returned", ())
    before = await why(world, executed, "p1")
    cheaper = replace(write("p1", "col_a", 0).document, fields={"text": "running shoes", "price": 5})
    await world.shop.put("col_a", [DocumentWrite(cheaper, write("p1", "col_a", 0).vectors)])
    answer = await why(world, executed, "p1")
    assert answer.as_of.document == "changed"
    assert verdict_of(answer) == verdict_of(before)
    await world.shop.metadata.write(lambda session: session.documents.delete(PRINCIPAL, "col_a", ["p1"]))
    answer = await why(world, executed, "p1")
    assert (answer.as_of.document, answer.stopped_at) == ("deleted", "attribute_filter")
    assert verdict_of(answer) == verdict_of(before)
    for unknown in ("doc_nobody", ""):
        with pytest.raises(NotFoundError):
            await why(world, executed, unknown)


async def test_a_run_that_failed_or_was_cut(world: World) -> None:
    with pytest.raises(StageError) as failure:
        await run(world, search(), stage("break"), stage("limit"))
    answer = await world.why.why(PRINCIPAL, failure.value.details["execution_id"], "p1")
    assert [one.verdict.kind for one in answer.stages] == [
        VerdictKind.PASSED, VerdictKind.RUN_ENDED, VerdictKind.NOT_REACHED,
    ]  # fmt: skip
    assert "division by zero" in verdict_of(answer)[1]
    cut = await run(world, search(), budget=Budget(max_credits=0.0000001))
    answer = await why(world, cut, "p1")
    assert verdict_of(answer)[0] is VerdictKind.RUN_ENDED
    assert edited(answer) == [(("budget", "max_credits"), 0.0000001, None)]
    assert answer.change is not None
    assert answer.change.outcome == "returned"


async def test_one_kept_from_the_end_by_a_stage_that_was_passed_over(world: World) -> None:
    off = {**search(), "when": False}
    executed = await run(world, off, stage("limit"))
    answer = await why(world, executed, "p1")
    assert verdict_of(answer)[0] is VerdictKind.PASSED_OVER
    assert edited(answer) == [(("stages", 0, "options", "when"), False, True)]
    assert answer.change is not None
    assert answer.change.outcome == "returned"
    through = await run(world, search(), {**stage("limit"), "when": "{{ STAGE.search.count < 1 }}"})
    passed = await why(world, through, "p1")
    assert [one.verdict.kind for one in passed.stages] == [VerdictKind.PASSED, VerdictKind.PASSED]


async def test_one_that_still_runs(world: World) -> None:
    running = asyncio.create_task(run(world, search(), stage("wait")))
    await Wait.reached.wait()
    page = await world.records.list_anonymous(PRINCIPAL, ExecutionQuery())
    execution_id = page.items[0].execution_id
    with pytest.raises(ConflictError):
        await world.why.why(PRINCIPAL, execution_id, "p1")
    Wait.go.set()
    await running
