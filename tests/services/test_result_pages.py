from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits
from tamis.services.runs.result_pages import PageMethod, PageRequest, Position, describe, window

SERIES = "exec_0193a1b2c3d4a1b2c3d4e5f60718"

# Scores repeat on purpose: ties must neither repeat nor skip a document.
rankings = st.lists(st.integers(0, 5), max_size=40).map(
    lambda scores: Hits.ranked(Hit(f"doc_{place:03}", float(score)) for place, score in enumerate(scores))
)


def following(page: PageRequest, answer: Mapping[str, object]) -> PageRequest | None:
    """The request for the next page, made from the answer alone, as a client makes it."""
    if not answer["has_next"]:
        return None
    if page.method is PageMethod.OFFSET:
        assert isinstance(answer["next_page"], int)
        assert page.size is not None
        return PageRequest(page.method, page.size, offset=(answer["next_page"] - 1) * page.size)
    if page.method is PageMethod.KEYSET:
        after = answer["after"]
        assert isinstance(after, dict)
        return PageRequest(page.method, page.size, after=after)
    token = answer["next_cursor" if page.method is PageMethod.CURSOR else "scroll_id"]
    assert isinstance(token, str)
    return PageRequest(page.method, page.size, token=token)


@given(ranking=rankings, size=st.integers(1, 15), method=st.sampled_from(list(PageMethod)))
def test_following_pages_shows_each_document_once_in_order(ranking: Hits, size: int, method: PageMethod) -> None:
    page: PageRequest | None = PageRequest(method, size)
    seen: list[str] = []
    while page is not None:
        cut = window(page, ranking)
        seen += [hit.id for hit in ranking[cut.start : cut.stop]]
        page = following(page, describe(page, cut, ranking, SERIES))
    assert seen == [hit.id for hit in ranking]


def test_only_a_first_page_runs_the_pipeline() -> None:
    assert PageRequest(PageMethod.CURSOR).is_first
    assert not PageRequest(PageMethod.CURSOR, token=Position(SERIES, 10).token).is_first
    assert not PageRequest(PageMethod.KEYSET, after={"score": 1.0, "document_id": "doc_1"}).is_first
    assert not PageRequest(PageMethod.OFFSET, offset=10).is_first


def test_a_token_names_the_series_and_the_place() -> None:
    page = PageRequest(PageMethod.SCROLL, token=Position(SERIES, 30).token)
    assert page.continues() == Position(SERIES, 30)


def test_keyset_goes_on_behind_a_document_that_is_gone() -> None:
    ranking = Hits.of([Hit("doc_a", 3.0), Hit("doc_c", 2.0), Hit("doc_d", 1.0)])
    page = PageRequest(PageMethod.KEYSET, 5, after={"score": 2.0, "document_id": "doc_b"})
    assert window(page, ranking).start == 1


@pytest.mark.parametrize("token", ["", "%%%", "bm90IGEgY3Vyc29y", "OjU"])
def test_a_token_that_no_answer_gave_is_refused_by_name(token: str) -> None:
    page = PageRequest(PageMethod.CURSOR, token=token)
    with pytest.raises(ValidationError) as caught:
        page.continues()
    assert caught.value.problems[0]["loc"] == ["body", "pagination", "cursor"]


def test_keyset_without_score_and_id_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"body\.pagination\.after"):
        window(PageRequest(PageMethod.KEYSET, 5, after={"score": "high"}), Hits.of([Hit("doc_a", 1.0)]))


def test_a_page_beyond_the_end_is_empty() -> None:
    cut = window(PageRequest(PageMethod.OFFSET, 10, offset=90), Hits.of([Hit("doc_a", 1.0)]))
    assert (cut.start, cut.stop, cut.has_next) == (1, 1, False)
