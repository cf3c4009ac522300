"""Rankings of documents as rankings of things."""

from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.ports.index import Scored
from tamis.engine.searching.fusion import ranked
from tamis.engine.searching.joining import join, keys_of, standing_for
from tests.engine.stages.shop import document

_IDS = [f"d{n}" for n in range(8)]
_RANKINGS = st.lists(st.dictionaries(st.sampled_from(_IDS), st.integers(0, 3)), max_size=4)
_KEYS = st.dictionaries(st.sampled_from(_IDS), st.sampled_from([b"1", b"2", b"3"]))


def test_what_lacks_the_field_stands_for_itself() -> None:
    found = {key: document(key, fields=fields) for key, fields in (("a", {"x": 1}), ("b", {"x": 1.0}), ("c", {}))}
    keys = keys_of(found, "metadata.x")
    assert keys["a"] == keys["b"]
    rankings = [[Scored("b", 3.0), Scored("c", 2.0), Scored("a", 1.0)], [Scored("a", 9.0)]]
    assert join(rankings, keys) == [[Scored("b", 3.0), Scored("c", 2.0)], [Scored("b", 9.0)]]


@given(_RANKINGS, _KEYS)
def test_every_thing_is_there_once_by_its_best_and_under_one_name(
    given: list[dict[str, int]], keys: dict[str, bytes]
) -> None:
    rankings = [ranked(Scored(key, float(score)) for key, score in one.items()) for one in given]
    stands = standing_for(rankings, keys)
    for before, after in zip(rankings, join(rankings, keys), strict=True):
        assert after == ranked(after)
        things = {keys.get(one.document_id, one.document_id.encode()) for one in before}
        assert len(after) == len(things)
        for one in after:
            key = keys.get(one.document_id)
            mine = [
                b.score for b in before if b.document_id == one.document_id or (key and keys.get(b.document_id) == key)
            ]
            assert one.score == max(mine)
            assert key is None or stands[key] == one.document_id
