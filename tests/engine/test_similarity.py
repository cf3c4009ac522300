"""Texts that are nearly the same."""

from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.matching.similarity import Alikes, Shingles, shingles


def kept_pair_by_pair(texts: list[Shingles], threshold: float) -> list[bool]:
    seen: list[Shingles] = []
    kept = []
    for text in texts:
        kept.append(all(text.similarity(other) < threshold for other in seen))
        if kept[-1]:
            seen.append(text)
    return kept


@given(
    st.lists(st.text("abc ", min_size=1, max_size=30).filter(str.strip), max_size=25),
    st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.6, 2 / 3, 0.8, 0.9, 0.95, 1.0]) | st.floats(0, 1),
)
def test_what_is_alike_is_found_as_if_every_pair_were_compared(lines: list[str], threshold: float) -> None:
    texts = [shingles(line) for line in lines]
    seen = Alikes(texts, threshold)
    assert [seen.add_unless_alike(text) for text in texts] == kept_pair_by_pair(texts, threshold)


def test_a_text_of_one_changed_word_is_alike() -> None:
    first, second = shingles("the quick brown fox jumps over the lazy dog" * 3), shingles("something else entirely")
    near = shingles("the quick brown fox jumps over the lazy dog" * 2 + "the quick brown fox jumps over the lazy cat")
    seen = Alikes([first, second, near], 0.9)
    assert [seen.add_unless_alike(text) for text in (first, second, near)] == [True, True, False]
