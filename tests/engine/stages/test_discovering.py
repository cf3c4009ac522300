"""Results of others' searches as hits: what came in stays in front, and each result is one document."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.outreach.discovering import MOST_SEARCHES, appended, how_many, questions, row, scores_of
from tamis.engine.spending.spending import Given
from tamis.model.hits import Hit, Hits
from tests.engine.stages.shop import Shop, hit

URLS = st.lists(st.sampled_from([f"https://a.example/{n}" for n in range(6)]) | st.text(max_size=8), max_size=12)


def _rows(urls: list[str]) -> list[Hit]:
    return [row("web", url, 1 / (1 + n), "s", {"url": url, "nothing": None}) for n, url in enumerate(urls)]


@given(URLS, URLS)
def test_what_came_in_is_a_prefix_and_ids_are_unique(before: list[str], found: list[str]) -> None:
    hits = appended(Hits(), _rows(before))
    outcome = appended(hits, _rows(found))
    ids = [one.id for one in outcome]
    assert outcome.items[: len(hits)] == hits.items
    assert len(set(ids)) == len(ids)
    assert {one.extra["url"] for one in outcome} == {*before, *found}
    assert appended(outcome, _rows(found)) == outcome
    assert all("nothing" not in one.extra and one.id.startswith("web_") for one in outcome)


@given(st.lists(st.none() | st.floats(0, 1), max_size=8))
def test_scores_are_all_the_providers_or_all_by_rank(given_scores: list[float | None]) -> None:
    scores = scores_of(given_scores)
    assert len(scores) == len(given_scores)
    if None in given_scores:
        assert scores == [1 / (1 + n) for n in range(len(scores))]
    else:
        assert scores == given_scores


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(brands=st.lists(st.none() | st.sampled_from(["Sole", "Blade", "  ", "日本語", "{{ DOC.x }}"]), max_size=6))
async def test_one_question_for_each_that_differs(shop: Shop, brands: list[str | None]) -> None:
    hits = Hits.of(hit(f"d{n}", brand=brand) if brand is not None else hit(f"d{n}") for n, brand in enumerate(brands))
    asked, warnings = questions("{{ DOC.brand }}", hits, shop.context(1))
    assert asked == list(dict.fromkeys(one.strip() for one in brands if one is not None and one.strip()))
    assert len(warnings) == min(sum(one is None for one in brands), 6)
    assert questions("brand", hits, shop.context(1)) == (["brand"], [])


async def test_a_run_makes_so_many_searches_and_no_more(shop: Shop) -> None:
    hits = Hits.of(hit(f"d{n}", brand=f"b{n}") for n in range(MOST_SEARCHES + 5))
    asked, warnings = questions("{{ DOC.brand }}", hits, shop.context(1))
    assert asked == [f"b{n}" for n in range(MOST_SEARCHES)]
    assert warnings == [f"only the first {MOST_SEARCHES} of {MOST_SEARCHES + 5} searches were made"]
    assert [how_many("{{DOC.a}}", Given(count)) for count in (3.0, 100.0)] == [3, MOST_SEARCHES]
    assert [how_many(text, Given(50)) for text in ("{{INPUT.a}}", None)] == [1, 1]
