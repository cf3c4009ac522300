"""The law behind filter push-down: what an index says it can answer, it answers as `matching.matches` does."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.ports.index import VectorIndex, VectorSearch
from tamis.model.filters import And, Condition, Filter, IdIn, Not, Operator, Or
from tamis.model.json import JSON
from tamis.model.matching import matches, resolve
from tamis.model.vector import FeatureSpec, VectorKind
from tamis.storage.index import open_cluster_index, open_edge_index
from tamis.storage.index.payload import flatten, number_text
from tamis.testing.index_contract import COLLECTION, HERE, dense, ids, point

TEXTS = [
    "", "a", "A", "ß", "SS", "ss", "İ", "i̇", "日本", "b" * 256, "b" * 257, "z" * 300, "5", "true",
    "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01t01:00:00+01:00", "2024-01-02 03:04:05.678901", "2024-13-01",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+23:00", "2024-01-0", "2024-01-01x",
]  # fmt: skip
NUMBERS = [0, -0.0, 1, 1.0, -1, 0.5, 1979, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 1e300, 5e-324, 2**63 - 1]
KEYS = ["a", "b", "c d", "ü", "a.b", "b.a.b", ""]
PATHS = ["a", "b", "a.b", "a.a", "b.a.b", "c d", "ü", "ü.a", "", "a.", "none"]
SCALARS = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS) | st.text(max_size=3)


def _nested(inner: st.SearchStrategy[JSON]) -> st.SearchStrategy[JSON]:
    lists: st.SearchStrategy[JSON] = st.lists(inner, max_size=3)
    objects: st.SearchStrategy[JSON] = st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    return lists | objects


VALUES: st.SearchStrategy[JSON] = st.recursive(SCALARS, _nested, max_leaves=6)
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), min_size=1, max_size=6)


def _wanted(operator: Operator) -> st.SearchStrategy[JSON]:
    if operator in (Operator.EXISTS, Operator.IS_NULL):
        return st.booleans()
    if operator in (Operator.IN, Operator.NIN):
        return st.lists(SCALARS, max_size=4)
    return st.text(alphabet="ab2-", max_size=2) if operator is Operator.REGEX else VALUES


CONDITIONS: st.SearchStrategy[Filter] = st.sampled_from(list(Operator)).flatmap(
    lambda operator: st.builds(Condition, st.sampled_from(PATHS), st.just(operator), _wanted(operator), st.booleans())
)
IDS: st.SearchStrategy[Filter] = st.builds(IdIn, st.frozensets(st.sampled_from([f"doc_{n}" for n in range(8)])))
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    CONDITIONS | IDS,
    lambda inner: (
        st.builds(And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=4,
)

Opener = Callable[[Path], Awaitable[VectorIndex]]


class Bench:
    """One index for the whole module, driven from plain functions, as Hypothesis needs it."""

    def __init__(self, runner: asyncio.Runner, index: VectorIndex) -> None:
        self._runner = runner
        self.index = index
        self._held: list[str] = []

    def answers(self, documents: list[dict[str, JSON]], filters: list[Filter]) -> list[tuple[list[str], int]]:
        return self._runner.run(self._answers(documents, filters))

    async def _answers(self, documents: list[dict[str, JSON]], filters: list[Filter]) -> list[tuple[list[str], int]]:
        await self.index.delete(HERE, COLLECTION, self._held)
        self._held = [f"doc_{number}" for number in range(len(documents))]
        points = [point(name, 1, 0, **fields) for name, fields in zip(self._held, documents, strict=True)]
        await self.index.upsert(HERE, COLLECTION, points)
        searches = [(COLLECTION, VectorSearch("embedding", dense(1, 0), 100, one)) for one in filters]
        found = await self.index.search(HERE, searches)
        counts = [await self.index.count(HERE, COLLECTION, one) for one in filters]
        return [(ids(one), count) for one, count in zip(found, counts, strict=True)]


async def _edge(root: Path) -> VectorIndex:
    return await open_edge_index(root)


async def _cluster(_: Path) -> VectorIndex:
    return await open_cluster_index(":memory:")


@pytest.fixture(scope="module", params=[_edge, _cluster], ids=["edge", "cluster"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    opener: Opener = request.param
    with asyncio.Runner() as runner:
        index = runner.run(_ready(opener, tmp_path_factory.mktemp("index")))
        yield Bench(runner, index)
        runner.run(index.close())


async def _ready(opener: Opener, root: Path) -> VectorIndex:
    index = await opener(root)
    await index.create(HERE, COLLECTION, [FeatureSpec("embedding", VectorKind.DENSE, 2)])
    return index


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=DOCUMENTS, drawn=st.lists(FILTERS, min_size=1, max_size=12))
def test_an_index_answers_as_matching_does(bench: Bench, documents: list[dict[str, JSON]], drawn: list[Filter]) -> None:
    filters = [one for one in drawn if bench.index.compiles(one)]
    views = {f"doc_{n}": {**fields, "document_id": f"doc_{n}"} for n, fields in enumerate(documents)}
    for filter, (found, count) in zip(filters, bench.answers(documents, filters), strict=True):
        expected = sorted(name for name, view in views.items() if matches(filter, view))
        assert (found, count) == (expected, len(expected)), filter


def test_every_value_against_every_condition(bench: Bench) -> None:
    """Exhaustive where chance is thin: the edges of types, floats, dates and case, each against each."""
    plain: list[JSON] = [None, True, False, *NUMBERS, *TEXTS]
    held: list[JSON] = [*plain, [], [None], [1, "A"], [["ss"], 0.5], {"x": 1}, ["2024-01-01", "soon"], "soon", "Ａ"]
    documents: list[dict[str, JSON]] = [{"v": value} for value in held]
    filters: list[Filter] = [
        Condition("v", operator, [wanted] if operator in (Operator.IN, Operator.NIN) else wanted, exact)
        for operator in Operator
        for wanted in ([True, False] if operator in (Operator.EXISTS, Operator.IS_NULL) else plain)
        for exact in (False, True)
        if operator is not Operator.REGEX
    ]
    filters = [one for one in filters if bench.index.compiles(one)]
    assert len(filters) > 400
    views = {f"doc_{n}": {**fields, "document_id": f"doc_{n}"} for n, fields in enumerate(documents)}
    for filter, (found, count) in zip(filters, bench.answers(documents, filters), strict=True):
        expected = sorted(name for name, view in views.items() if matches(filter, view))
        assert (found, count) == (expected, len(expected)), filter


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_flattening_finds_what_resolving_finds(fields: dict[str, JSON]) -> None:
    flat = flatten(fields)
    for path in {*PATHS, *flat}:
        assert flat.get(path, []) == resolve(fields, path)


@given(st.sampled_from(NUMBERS) | st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.data())
def test_equal_numbers_and_only_they_have_equal_texts(left: float, data: st.DataObject) -> None:
    right = data.draw(st.sampled_from([left, -left, left + 1, *NUMBERS]))
    assert (number_text(left) == number_text(right)) == (left == right)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30), data=st.data())
def test_ranges_tell_neighbouring_floats_apart(bench: Bench, values: list[float], data: st.DataObject) -> None:
    """The engine keeps payloads as JSON and reads one float in six back as its neighbour."""
    close = [near for value in values for near in (value, math.nextafter(value, math.inf))]
    documents: list[dict[str, JSON]] = [{"v": value} for value in close if math.isfinite(value)]
    documents.append({"v": list(close[:4])})
    bounds = data.draw(st.lists(st.sampled_from([value for value in close if abs(value) < 2**53] or [0.0]), max_size=4))
    orders = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
    filters: list[Filter] = [Condition("v", order, bound) for bound in bounds for order in orders]
    views = [(f"doc_{number}", fields) for number, fields in enumerate(documents)]
    for filter, (found, count) in zip(filters, bench.answers(documents, filters), strict=True):
        expected = sorted(name for name, view in views if matches(filter, view))
        assert (found, count) == (expected, len(expected)), filter
