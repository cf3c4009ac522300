"""What every VectorIndex has to keep. Inherit it and give the fixture `index`.

class TestMine(IndexContract):
    @pytest.fixture
    async def index(self) -> AsyncIterator[VectorIndex]: ...
"""

# ruff: noqa: S101 - this is a suite of tests, for plug-in authors too
import math
from collections.abc import Sequence

import numpy as np
import pytest

from tamis.engine.ports.index import FacetCount, Point, Scored, VectorIndex, VectorSearch
from tamis.errors import DimensionMismatch, NotFoundError, ValidationError
from tamis.model.filters import And, Condition, Filter, IdIn, Not, Operator, Or, parse_filter
from tamis.model.json import JSON
from tamis.model.matching import matches
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, MultiDense, Sparse, Vector, VectorKind

HERE = Principal("org_here", "ns_here")
ELSEWHERE = (Principal("org_other", "ns_here"), Principal("org_here", "ns_other"))
COLLECTION = "col_films"
FEATURES = (
    FeatureSpec("embedding", VectorKind.DENSE, 4),
    FeatureSpec("lexical", VectorKind.SPARSE, idf=True),
    FeatureSpec("weights", VectorKind.SPARSE),
    FeatureSpec("tokens", VectorKind.MULTI_DENSE, 2),
)
FILMS: dict[str, dict[str, JSON]] = {
    "doc_a": {"title": "Alien", "year": 1979, "tags": ["Space", "horror"], "seen": True, "at": "2024-01-05"},
    "doc_b": {
        "title": "alien",
        "year": 1986.0,
        "tags": ["space", "space"],
        "seen": False,
        "at": "2024-01-05T10:00:00Z",
    },
    "doc_c": {"title": "Brazil", "year": 1985, "tags": [], "seen": None, "at": "2024-01-05T23:30:00+02:00"},
    "doc_d": {
        "title": "Ran",
        "crew": [{"name": "Kurosawa", "born": 1910}, {"name": "Ōta", "born": 1911}],
        "at": "soon",
    },
    "doc_e": {"title": "x" * 400, "a.b": 1, "a": {"b": 2, "c": {"d": "deep"}}, "big": 2**53 + 1, "at": "z" * 300},
}

ANSWERED: tuple[Condition, ...] = (
    Condition("title", Operator.EQ, "ALIEN"),
    Condition("title", Operator.EQ, "Alien", case_sensitive=True),
    Condition("title", Operator.NE, "alien"),
    Condition("title", Operator.IN, ["ran", "Brazil", None]),
    Condition("year", Operator.EQ, 1986),
    Condition("year", Operator.IN, [1979, 1985.0]),
    Condition("year", Operator.NIN, [1979]),
    Condition("year", Operator.GT, 1979),
    Condition("year", Operator.LTE, 1985.5),
    Condition("tags", Operator.EQ, "SPACE"),
    Condition("tags", Operator.EXISTS, True),
    Condition("tags", Operator.IS_NULL, True),
    Condition("seen", Operator.EQ, True),
    Condition("seen", Operator.EQ, False),
    Condition("seen", Operator.EQ, 1),
    Condition("seen", Operator.EQ, None),
    Condition("seen", Operator.IS_NULL, False),
    Condition("at", Operator.GTE, "2024-01-05T10:00:00Z"),
    Condition("at", Operator.LT, "2024-01-05T22:00:00Z"),
    Condition("at", Operator.LTE, "2024-01-05"),
    Condition("crew.name", Operator.EQ, "kurosawa"),
    Condition("crew.born", Operator.LT, 1911),
    Condition("crew", Operator.EXISTS, True),
    Condition("a.b", Operator.EQ, 1),
    Condition("a.b", Operator.EQ, 2),
    Condition("a.c.d", Operator.EQ, "deep"),
    Condition("big", Operator.EQ, 2**53),
    Condition("big", Operator.EQ, 2**53 + 1),
    Condition("title", Operator.EXISTS, True),
    Condition("title", Operator.EQ, 7),
)
PERHAPS: tuple[Condition, ...] = (
    Condition("title", Operator.CONTAINS, "lie"),
    Condition("title", Operator.REGEX, "^a"),
    Condition("title", Operator.TEXT, "alien"),
    Condition("title", Operator.GT, "b"),
    Condition("title", Operator.EQ, "x" * 400),
    Condition("year", Operator.GT, 2**53),
    Condition("tags", Operator.EQ, ["space"]),
    Condition("year", Operator.GT, "1979"),
)


def dense(*values: float) -> Dense:
    return Dense(np.asarray(values, np.float32))


def sparse(**weights: float) -> Sparse:
    """`sparse(t3=1.0)`: term 3 with weight 1."""
    pairs = sorted((int(name[1:]), weight) for name, weight in weights.items())
    return Sparse(np.asarray([one for one, _ in pairs], np.uint32), np.asarray([one for _, one in pairs], np.float32))


def point(document_id: str, *values: float, **fields: JSON) -> Point:
    return Point(document_id, {"embedding": dense(*values)} if values else {}, fields)


def ids(found: Sequence[Scored]) -> list[str]:
    return [one.document_id for one in found]


async def nearest(index: VectorIndex, search: VectorSearch, principal: Principal = HERE) -> Sequence[Scored]:
    (found,) = await index.search(principal, [(COLLECTION, search)])
    return found


class IndexContract:
    @pytest.fixture
    async def shard(self, index: VectorIndex) -> VectorIndex:
        await index.create(HERE, COLLECTION, FEATURES)
        return index

    @pytest.fixture
    async def films(self, shard: VectorIndex) -> VectorIndex:
        points = [Point(name, {"embedding": dense(1, 0, 0, 0)}, fields) for name, fields in FILMS.items()]
        await shard.upsert(HERE, COLLECTION, points)
        return shard

    async def test_a_collection_without_features_counts_and_facets(self, index: VectorIndex) -> None:
        await index.create(HERE, "col_plain", ())
        fields: dict[str, dict[str, JSON]] = {"doc_a": {"kind": "x"}, "doc_b": {"kind": "y"}}
        await index.upsert(HERE, "col_plain", [Point(one, {}, kept) for one, kept in fields.items()])
        assert await index.count(HERE, "col_plain", None) == 2
        assert await index.count(HERE, "col_plain", Condition("kind", Operator.EQ, "x")) == 1
        await index.delete(HERE, "col_plain", ["doc_a"])
        assert await index.facet(HERE, "col_plain", "kind", 5, None, True) == [FacetCount("y", 1)]

    async def test_dense_scores_are_cosines(self, shard: VectorIndex) -> None:
        await shard.upsert(
            HERE, COLLECTION, [point("doc_a", 2, 0, 0, 0), point("doc_b", 3, 3, 0, 0), point("doc_c", -1, 0, 0, 0)]
        )
        found = await nearest(shard, VectorSearch("embedding", dense(5, 0, 0, 0), 10))
        assert ids(found) == ["doc_a", "doc_b", "doc_c"]
        assert [one.score for one in found] == pytest.approx([1, math.sqrt(0.5), -1], abs=1e-6)

    async def test_a_zero_vector_is_like_nothing(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 0, 0, 0, 0)])
        found = await nearest(shard, VectorSearch("embedding", dense(1, 0, 0, 0), 10))
        assert [one.score for one in found] == [0]

    async def test_idf_weighs_a_rare_term_more(self, shard: VectorIndex) -> None:
        weights = [{"t1": 1.0, "t2": 2.0}, {"t1": 1.0}, {"t1": 1.0}]
        await shard.upsert(
            HERE, COLLECTION, [Point(f"doc_{n}", {"lexical": sparse(**one)}, {}) for n, one in enumerate(weights)]
        )
        found = await nearest(shard, VectorSearch("lexical", sparse(t1=1, t2=1), 10))
        common, rare = math.log(1 + 0.5 / 3.5), math.log(1 + 2.5 / 1.5)
        assert ids(found) == ["doc_0", "doc_1", "doc_2"]
        assert [one.score for one in found] == pytest.approx([common + 2 * rare, common, common], rel=1e-5)

    async def test_sparse_without_idf_is_a_dot_product(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [Point("doc_a", {"weights": sparse(t1=0.5, t7=2)}, {})])
        found = await nearest(shard, VectorSearch("weights", sparse(t1=2, t7=3), 10))
        assert [one.score for one in found] == pytest.approx([7])

    async def test_late_interaction_sums_each_query_rows_best(self, shard: VectorIndex) -> None:
        rows = MultiDense(np.asarray([[1, 0], [0, 2]], np.float32))
        one = MultiDense(np.asarray([[1, 0]], np.float32))
        await shard.upsert(
            HERE, COLLECTION, [Point("doc_a", {"tokens": rows}, {}), Point("doc_b", {"tokens": one}, {})]
        )
        found = await nearest(shard, VectorSearch("tokens", rows, 10))
        assert [(one.document_id, one.score) for one in found] == [("doc_a", 2.0), ("doc_b", 1.0)]

    async def test_an_empty_query_finds_nothing(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [Point("doc_a", {"lexical": sparse(t1=1)}, {})])
        assert await nearest(shard, VectorSearch("lexical", sparse(), 10)) == []
        assert await nearest(shard, VectorSearch("lexical", sparse(t1=1), 0)) == []

    async def test_documents_without_the_feature_are_not_found(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0), Point("doc_b", {}, {})])
        assert ids(await nearest(shard, VectorSearch("embedding", dense(1, 0, 0, 0), 10))) == ["doc_a"]
        assert await shard.count(HERE, COLLECTION, None) == 2

    @pytest.mark.parametrize("limit", [1, 3, 40])
    async def test_ties_are_cut_by_id(self, shard: VectorIndex, limit: int) -> None:
        names = [f"doc_{number:03}" for number in range(120)]
        await shard.upsert(HERE, COLLECTION, [point(name, 0, 1, 0, 0) for name in reversed(names)])
        found = await nearest(shard, VectorSearch("embedding", dense(0, 1, 0, 0), limit))
        assert ids(found) == names[:limit]

    async def test_min_score_is_included(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0), point("doc_b", 0, 1, 0, 0)])
        search = VectorSearch("embedding", dense(1, 0, 0, 0), 10, min_score=1.0)
        assert ids(await nearest(shard, search)) == ["doc_a"]

    async def test_exact_and_graph_agree_on_a_small_shard(self, shard: VectorIndex) -> None:
        values = np.random.default_rng(7).standard_normal((200, 4)).astype(np.float32)
        await shard.upsert(HERE, COLLECTION, [point(f"doc_{n:03}", *row) for n, row in enumerate(values.tolist())])
        query = dense(0.3, -1, 0.5, 2)
        by_graph = await nearest(shard, VectorSearch("embedding", query, 10))
        exactly = await nearest(shard, VectorSearch("embedding", query, 10, exact=True))
        unit = values / np.linalg.norm(values, axis=1, keepdims=True)
        order = np.argsort(-(unit @ query.values))[:10]
        assert ids(by_graph) == ids(exactly) == [f"doc_{n:03}" for n in order]

    async def test_several_searches_answer_in_order(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0), point("doc_b", 0, 1, 0, 0)])
        first, second = (VectorSearch("embedding", dense(*row), 1) for row in ([1, 0, 0, 0], [0, 1, 0, 0]))
        found = await shard.search(HERE, [(COLLECTION, second), ("col_unknown", first), (COLLECTION, first)])
        assert [ids(one) for one in found] == [["doc_b"], [], ["doc_a"]]

    async def test_an_upsert_replaces_the_whole_point(self, shard: VectorIndex) -> None:
        both: dict[str, Vector] = {"embedding": dense(1, 0, 0, 0), "weights": sparse(t1=1)}
        await shard.upsert(HERE, COLLECTION, [Point("doc_a", both, {"old": 1, "kept": 1})])
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 0, 1, 0, 0, kept=2)])
        assert await nearest(shard, VectorSearch("weights", sparse(t1=1), 10)) == []
        found = await nearest(shard, VectorSearch("embedding", dense(0, 1, 0, 0), 10))
        assert [one.score for one in found] == pytest.approx([1])
        assert await shard.count(HERE, COLLECTION, parse_filter({"old": 1})) == 0
        assert await shard.count(HERE, COLLECTION, parse_filter({"kept": 2})) == 1

    async def test_the_last_of_a_batch_wins(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0, n=one) for one in range(5)])
        assert await shard.count(HERE, COLLECTION, parse_filter({"n": 4})) == 1
        assert await shard.count(HERE, COLLECTION, None) == 1

    async def test_set_fields_keeps_vectors_and_makes_no_points(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0, old=1)])
        await shard.set_fields(HERE, COLLECTION, [point("doc_a", new="x"), point("doc_none", new="x")])
        assert ids(await nearest(shard, VectorSearch("embedding", dense(1, 0, 0, 0), 10))) == ["doc_a"]
        assert await shard.count(HERE, COLLECTION, parse_filter({"new": "x"})) == 1
        assert await shard.count(HERE, COLLECTION, parse_filter({"old": 1})) == 0

    async def test_delete(self, shard: VectorIndex) -> None:
        await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0), point("doc_b", 1, 0, 0, 0)])
        await shard.delete(HERE, COLLECTION, ["doc_a", "doc_never"])
        assert ids(await nearest(shard, VectorSearch("embedding", dense(1, 0, 0, 0), 10))) == ["doc_b"]

    async def test_create_again_changes_nothing_and_drop_forgets(self, films: VectorIndex) -> None:
        await films.create(HERE, COLLECTION, FEATURES)
        assert await films.count(HERE, COLLECTION, None) == len(FILMS)
        await films.drop(HERE, COLLECTION)
        assert await films.count(HERE, COLLECTION, None) == 0
        await films.drop(HERE, COLLECTION)
        await films.create(HERE, COLLECTION, FEATURES[:1])
        assert (await films.info(HERE, COLLECTION)).points == 0

    async def test_an_unknown_shard_is_empty(self, index: VectorIndex) -> None:
        assert await index.count(HERE, COLLECTION, None) == 0
        assert await index.facet(HERE, COLLECTION, "title", 10, None, True) == []
        assert await nearest(index, VectorSearch("embedding", dense(1, 0, 0, 0), 10)) == []
        await index.delete(HERE, COLLECTION, ["doc_a"])
        await index.set_fields(HERE, COLLECTION, [point("doc_a", n=1)])
        assert (await index.info(HERE, COLLECTION)).points == 0
        with pytest.raises(NotFoundError):
            await index.upsert(HERE, COLLECTION, [point("doc_a", 1, 0, 0, 0)])

    @pytest.mark.parametrize("other", ELSEWHERE)
    async def test_tenants_do_not_meet(self, films: VectorIndex, other: Principal) -> None:
        assert await films.count(other, COLLECTION, None) == 0
        assert await nearest(films, VectorSearch("embedding", dense(1, 0, 0, 0), 10), other) == []
        await films.create(other, COLLECTION, FEATURES)
        await films.upsert(other, COLLECTION, [point("doc_a", 1, 0, 0, 0)])
        await films.delete(other, COLLECTION, ["doc_b"])
        await films.drop(other, COLLECTION)
        assert await films.count(HERE, COLLECTION, None) == len(FILMS)

    async def test_a_wrong_dimension_writes_nothing(self, shard: VectorIndex) -> None:
        good = [point(f"doc_{n}", 1, 0, 0, 0) for n in range(300)]
        with pytest.raises(DimensionMismatch):
            await shard.upsert(HERE, COLLECTION, [*good, point("doc_bad", 1, 0)])
        assert await shard.count(HERE, COLLECTION, None) == 0
        with pytest.raises(DimensionMismatch):
            await nearest(shard, VectorSearch("embedding", dense(1, 0), 10))

    async def test_what_is_no_vector_of_the_feature_is_refused(self, shard: VectorIndex) -> None:
        with pytest.raises(ValidationError):
            await shard.upsert(HERE, COLLECTION, [Point("doc_a", {"embedding": sparse(t1=1)}, {})])
        with pytest.raises(ValidationError):
            await shard.upsert(HERE, COLLECTION, [Point("doc_a", {"unknown": dense(1)}, {})])
        with pytest.raises(ValidationError):
            await shard.upsert(HERE, COLLECTION, [point("doc_a", 1, math.nan, 0, 0)])
        with pytest.raises(ValidationError):
            await shard.create(HERE, "col_2", [FeatureSpec("e", VectorKind.DENSE, 4, distance="euclid")])

    async def test_conditions_mean_what_matching_says(self, films: VectorIndex) -> None:
        for condition in ANSWERED:
            for filter in (condition, Not(condition)):
                assert films.compiles(filter), filter
                expected = sorted(name for name, fields in FILMS.items() if matches(filter, fields))
                found = await nearest(films, VectorSearch("embedding", dense(1, 0, 0, 0), 10, filter))
                assert ids(found) == expected, filter
                assert await films.count(HERE, COLLECTION, filter) == len(expected), filter
                selected = await films.select(HERE, COLLECTION, filter, len(FILMS))
                assert selected is not None
                assert sorted(selected) == expected, filter

    async def test_more_than_asked_for_are_not_selected(self, films: VectorIndex) -> None:
        every = And(())
        assert await films.select(HERE, COLLECTION, every, len(FILMS) - 1) is None
        assert await films.select(HERE, "col_unknown", every, 1) == []

    async def test_what_it_cannot_answer_exactly_it_refuses(self, films: VectorIndex) -> None:
        for condition in PERHAPS:
            if films.compiles(condition):
                expected = sum(matches(condition, fields) for fields in FILMS.values())
                assert await films.count(HERE, COLLECTION, condition) == expected, condition
            else:
                with pytest.raises(ValidationError):
                    await films.count(HERE, COLLECTION, And((condition, IdIn(frozenset({"doc_a"})))))

    async def test_filters_nest(self, films: VectorIndex) -> None:
        space = Condition("tags", Operator.EQ, "space")
        filter: Filter = And((Or((space, IdIn(frozenset({"doc_d", "doc_none"})))), Not(IdIn(frozenset({"doc_a"})))))
        found = await nearest(films, VectorSearch("embedding", dense(1, 0, 0, 0), 10, filter))
        assert ids(found) == ["doc_b", "doc_d"]
        assert await films.count(HERE, COLLECTION, And(())) == len(FILMS)
        assert await films.count(HERE, COLLECTION, Or(())) == 0
        assert await films.count(HERE, COLLECTION, IdIn(frozenset())) == 0

    async def test_facets_count_exact_values(self, films: VectorIndex) -> None:
        async def facet(path: str, limit: int = 10, filter: Filter | None = None) -> Sequence[FacetCount]:
            return await films.facet(HERE, COLLECTION, path, limit, filter, True)

        assert await facet("tags") == [FacetCount("Space", 1), FacetCount("horror", 1), FacetCount("space", 1)]
        assert await facet("year") == [FacetCount(1979, 1), FacetCount(1985, 1), FacetCount(1986, 1)]
        assert await facet("seen") == [FacetCount(False, 1), FacetCount(True, 1)]
        assert await facet("crew.name", 1) == [FacetCount("Kurosawa", 1)]
        assert await facet("a.b") == [FacetCount(1, 1)]
        assert await facet("nothing") == []
        assert await facet("title", 10, parse_filter({"year": {"$gt": 1980}})) == [
            FacetCount("Brazil", 1),
            FacetCount("alien", 1),
        ]

    async def test_facets_are_cut_by_count_then_value(self, shard: VectorIndex) -> None:
        points = [point(f"doc_{n:02}", 1, 0, 0, 0, kind=f"k{n % 40:02}") for n in range(81)]
        await shard.upsert(HERE, COLLECTION, points)
        found = await shard.facet(HERE, COLLECTION, "kind", 3, None, True)
        assert found == [FacetCount("k00", 3), FacetCount("k01", 2), FacetCount("k02", 2)]

    async def test_optimize_changes_no_answer(self, films: VectorIndex) -> None:
        search = VectorSearch("embedding", dense(1, 0, 0, 0), 10, parse_filter({"tags": "space"}))
        before = await nearest(films, search)
        await films.optimize(HERE, COLLECTION)
        assert await nearest(films, search) == before
        info = await films.info(HERE, COLLECTION)
        assert (info.points, info.building) == (len(FILMS), False)

    async def test_health(self, index: VectorIndex) -> None:
        assert (await index.health())["ok"] is True
