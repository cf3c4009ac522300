"""What an index that can be held against the record has to keep. Inherit it and give the fixture `index`."""

# ruff: noqa: S101 - this is a suite of tests, for plug-in authors too
import numpy as np

from tamis.engine.ports.index import Point
from tamis.engine.ports.upkeep import ComparableIndex
from tamis.model.vector import MultiDense, Vector
from tamis.testing.index_contract import COLLECTION, ELSEWHERE, FEATURES, FILMS, HERE, dense, sparse


def films() -> list[Point]:
    vectors: dict[str, Vector] = {
        "embedding": dense(3, 4, 0, 0),
        "weights": sparse(t7=0.25, t3=2.0),
        "tokens": MultiDense(np.asarray([[1, 0], [0.6, 0.8]], np.float32)),
    }
    return [Point(name, vectors, fields) for name, fields in FILMS.items()]


class ComparableIndexContract:
    async def test_what_it_was_given_is_what_it_has(self, index: ComparableIndex) -> None:
        await index.create(HERE, COLLECTION, FEATURES)
        await index.upsert(HERE, COLLECTION, films())
        assert sorted(await index.document_ids(HERE, COLLECTION)) == sorted(FILMS)
        assert list(await index.differing(HERE, COLLECTION, films())) == []

    async def test_what_is_otherwise_is_named(self, index: ComparableIndex) -> None:
        await index.create(HERE, COLLECTION, FEATURES)
        first, second, third, *_ = films()
        await index.upsert(HERE, COLLECTION, films())
        await index.set_fields(HERE, COLLECTION, [Point(first.document_id, {}, {"title": "another"})])
        fewer = {name: vector for name, vector in second.vectors.items() if name != "weights"}
        await index.upsert(HERE, COLLECTION, [Point(second.document_id, fewer, second.fields)])
        await index.delete(HERE, COLLECTION, [third.document_id])
        names = [first.document_id, second.document_id, third.document_id]
        assert list(await index.differing(HERE, COLLECTION, films())) == names
        assert sorted(await index.document_ids(HERE, COLLECTION)) == sorted(set(FILMS) - {third.document_id})

    async def test_a_shard_that_is_not_there_is_empty(self, index: ComparableIndex) -> None:
        assert list(await index.document_ids(HERE, COLLECTION)) == []
        assert list(await index.differing(HERE, COLLECTION, films()[:1])) == [films()[0].document_id]

    async def test_more_documents_than_a_page_holds(self, index: ComparableIndex) -> None:
        await index.create(HERE, "col_plain", ())
        points = [Point(f"doc_{number:04}", {}, {"number": number}) for number in range(2345)]
        await index.upsert(HERE, "col_plain", points)
        assert sorted(await index.document_ids(HERE, "col_plain")) == [point.document_id for point in points]

    async def test_shards_of_nobody_are_named_and_removed(self, index: ComparableIndex) -> None:
        other = ELSEWHERE[1]
        for principal, collection in ((HERE, COLLECTION), (HERE, "col_gone"), (other, COLLECTION)):
            await index.create(principal, collection, FEATURES)
        known = [(HERE, COLLECTION), (other, COLLECTION)]
        (stray,) = await index.strays(known)
        await index.remove_stray(stray)
        assert list(await index.strays(known)) == []
        await index.upsert(HERE, COLLECTION, films())
        assert len(await index.document_ids(HERE, COLLECTION)) == len(FILMS)
