"""external_web_search: each provider's protocol, what becomes of the pages, and what happens without them."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pydantic
import pytest

from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price
from tamis.engine.stages.external_web_search import ExternalWebSearch
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped_reach import taped_reach
from tamis.errors import NotSetUpError, OutsideError, OutsideRefusedError, ValidationError
from tamis.model.hits import Hits
from tests.engine.stages.searching import EXA, KEY, answering, json_of, web
from tests.engine.stages.shop import Shop, hit, ids, run
from tests.outside.server import Answer, Asked, Respond

STAGE = "external_web_search"
HITS = Hits.of([hit("a", 2.0, brand="Sole"), hit("b", 1.0, brand="Blade"), hit("c", 0.5)])


async def test_the_example(shop: Shop) -> None:
    async with web(shop, answering(EXA), "exa") as opened:
        outcome = await run(STAGE, ExternalWebSearch.example, HITS, opened.context)
    (asked,) = opened.server.asked
    assert (asked.method, asked.path, asked.headers["x-api-key"]) == ("POST", "/search", KEY)
    assert json_of(asked) == {
        "query": "how to sharpen a bread knife",
        "numResults": 5,
        "useAutoprompt": True,
        "excludeDomains": ["pinterest.com"],
        "contents": {"text": {"maxCharacters": 20_000}},
    }
    assert ids(outcome)[:3] == ["a", "b", "c"]
    first, second = outcome.hits[3:]
    assert first.id.startswith("web_")
    assert dict(first.extra) == {
        "source": "web",
        "url": "https://www.knives.example/sharpen",
        "title": "Sharpen a bread knife",
        "text": ("Use a ceramic rod. " * 3).strip(),
        "highlights": ["a ceramic rod"],
        "summary": "Use a rod.",
        "published_date": "2026-01-05T00:00:00.000Z",
        "author": "A. Smith",
        "image_url": "https://knives.example/rod.png",
        "domain": "knives.example",
        "search_query": "how to sharpen a bread knife",
        "search_position": 0,
        "search_provider": "exa",
    }
    assert [first.score, second.score] == [0.62, 0.41]
    assert first.scores == {"stage": 0.62}
    assert outcome.metadata == {"searches": 1, "found": 2, "calls": 1}
    assert outcome.processed == 5


async def test_all_that_exa_is_told(shop: Shop) -> None:
    async with web(shop, answering(EXA), "exa") as opened:
        parameters = {
            "query": "knives", "num_results": 100, "category": "research_paper", "use_autoprompt": False,
            "start_published_date": "2024-01-01T00:30:00+01:00", "include_domains": ["*.Example.com"],
            "contents": {"text": False, "highlights": True, "summary": True},
        }  # fmt: skip
        await run(STAGE, parameters, Hits(), opened.context)
    assert json_of(opened.server.asked[0]) == {
        "query": "knives", "numResults": 100, "useAutoprompt": False, "category": "research paper",
        "startPublishedDate": "2023-12-31T00:00:00.000Z", "includeDomains": ["example.com"],
        "contents": {"highlights": True, "summary": {}},
    }  # fmt: skip


async def test_searxng_needs_no_key_and_is_asked_page_after_page(shop: Shop) -> None:
    def pages(asked: Asked) -> Answer:
        first = 10 * (int(asked.query["pageno"]) - 1)
        rows = [{"url": f"http://s.example/{n}", "title": f"{n}", "content": "x", "score": 9.0} for n in range(10)]
        found = [{**row, "url": f"http://s.example/{first + n}"} for n, row in enumerate(rows)] if first < 20 else []
        return Answer(json.dumps({"query": "q", "results": found}).encode())

    async with web(shop, pages, "searxng") as opened:
        parameters = {"query": "ä & b", "num_results": 25, "category": "news"}
        outcome = await run(STAGE, parameters, Hits(), opened.context)
    assert [one.query for one in opened.server.asked] == [
        {"q": "ä & b", "format": "json", "pageno": str(page), "categories": "news"} for page in (1, 2, 3)
    ]
    assert all("authorization" not in one.headers for one in opened.server.asked)
    assert len(outcome.hits) == 20
    assert [one.score for one in outcome.hits[:4]] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert outcome.metadata["calls"] == 3


async def test_domains_and_dates_hold_whatever_the_provider_makes_of_them(shop: Shop) -> None:
    rows = [
        {"url": "https://a.example/1", "publishedDate": "2020-01-01T00:00:00"},
        {"url": "https://sub.a.example/2", "publishedDate": "2026-05-05T00:00:00"},
        {"url": "https://bad.a.example/3"},
        {"url": "https://nota.example/4"},
        {"url": "https://a.example/5"},
    ]
    async with web(shop, answering({"results": rows}), "searxng") as opened:
        parameters = {
            "query": "x", "include_domains": ["a.example"], "exclude_domains": ["bad.a.example"],
            "start_published_date": f"{datetime.now(UTC) - timedelta(days=20):%Y-%m-%d}",
        }  # fmt: skip
        outcome = await run(STAGE, {**parameters, "start_published_date": "2026-01-01"}, Hits(), opened.context)
        await run(STAGE, parameters, Hits(), opened.context)
    assert [one.extra["url"] for one in outcome.hits] == ["https://sub.a.example/2", "https://a.example/5"]
    assert "1 of 2 pages say no date" in outcome.warnings[0]
    assert opened.server.asked[0].query["q"] == "x (site:a.example) -site:bad.a.example"
    assert opened.server.asked[-1].query["time_range"] == "month"


async def test_brave(shop: Shop) -> None:
    row = {"title": "T", "url": "https://b.example/", "description": "D", "page_age": "2026-02-03T04:05:06",
           "extra_snippets": ["one", "two"]}  # fmt: skip
    async with web(shop, answering({"type": "search", "web": {"results": [row]}}), "brave") as opened:
        outcome = await run(STAGE, {"query": "x", "start_published_date": "2026-01-01"}, Hits(), opened.context)
    (asked, _second) = opened.server.asked
    assert (asked.path, asked.headers["x-subscription-token"]) == ("/res/v1/web/search", KEY)
    assert asked.query["freshness"].startswith("2026-01-01to20")
    assert (asked.query["count"], asked.query["offset"]) == ("10", "0")
    assert outcome.hits[0].extra["text"] == "D"
    assert outcome.hits[0].extra["highlights"] == ["one", "two"]
    assert outcome.hits[0].score == 1


async def test_tavily_says_that_it_gives_fewer(shop: Shop) -> None:
    rows = [{"title": "T", "url": f"https://t.example/{n}", "content": "short", "raw_content": None, "score": 0.5}
            for n in range(20)]  # fmt: skip
    async with web(shop, answering({"results": rows}), "tavily") as opened:
        outcome = await run(STAGE, {"query": "x", "num_results": 50, "category": "news"}, Hits(), opened.context)
    (asked,) = opened.server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert json_of(asked) == {"query": "x", "max_results": 20, "topic": "news", "include_raw_content": "text"}
    assert len(outcome.hits) == 20
    assert outcome.warnings == ("'x': tavily gives 20 results at most, not 50",)
    assert outcome.hits[0].extra["text"] == "short"


async def test_one_search_for_each_document_that_the_query_names(shop: Shop) -> None:
    async with web(shop, answering({"results": []}), "searxng") as opened:
        outcome = await run(STAGE, {"query": "shoes by {{ DOC.brand }}"}, HITS, opened.context)
        nothing = await run(STAGE, {"query": "shoes by {{ DOC.brand }}"}, Hits(), opened.context)
    assert sorted(one.query["q"] for one in opened.server.asked) == ["shoes by Blade", "shoes by Sole"]
    assert outcome.hits == HITS
    assert outcome.warnings[0].startswith("c: template")
    assert not nothing.hits


async def test_the_input_is_searched_for_as_it_is(shop: Shop) -> None:
    async with web(shop, answering({"results": []}), "searxng") as opened:
        context = replace(opened.context, inputs={"query": "why {{ DOC.x }} and {{SECRET.search}}"},
                          render=lambda value, hit, here=None: value)  # fmt: skip
        await run(STAGE, {}, HITS, context)
    assert opened.server.asked[0].query["q"] == "why {{ DOC.x }} and {{SECRET.search}}"
    with pytest.raises(ValidationError, match="query"):
        await run(STAGE, {}, HITS, shop.context(1))


async def test_what_two_searches_find_is_one_document(shop: Shop) -> None:
    async with web(shop, answering(EXA), "exa") as opened:
        once = await run(STAGE, {"query": "x"}, Hits(), opened.context)
        twice = await run(STAGE, {"query": "y"}, once.hits, opened.context)
    assert twice.hits == once.hits


ROWS = [{"url": f"https://s.example/{n}", "title": "t"} for n in range(10)]


@pytest.mark.parametrize(
    ("respond", "message"),
    [
        (answering({"error": "x"}, 500), "exa: it answered 500"),
        (answering({"error": KEY}, 401), "exa: it refuses the key"),
        (lambda _: Answer(b"", 429, {"retry-after": "3600"}), "exa: it is asked too often"),
        (lambda _: Answer(b"<html>"), "exa: the answer is no JSON"),
        (lambda _: Answer(b'{"results": NaN}'), "exa: the answer is no JSON"),
        (answering({"results": {"0": 1}}), "exa: the answer has no list at results"),
        (answering([]), "exa: the answer has no results"),
        (lambda _: Answer(b'{"results": [', headers={"content-length": "5000"}), "exa: the request failed"),
        (lambda _: Answer(b"x" * (9 << 20)), "exa: the answer is larger than"),
        (lambda _: Answer(json.dumps(EXA).encode(), drip_s=0.2), "exa: there was no whole answer within"),
    ],
)
async def test_without_an_answer(respond: Respond, message: str, shop: Shop) -> None:
    async with web(shop, respond, "exa") as opened:
        outcome = await run(STAGE, {"query": "x", "timeout": 1}, HITS, opened.context)
        assert outcome.hits == HITS
        assert message in outcome.warnings[0]
        assert KEY not in repr(outcome)
        with pytest.raises(OutsideError) as raised:
            await run(STAGE, {"query": "x", "timeout": 1, "on_error": "raise"}, HITS, opened.context)
    assert KEY not in repr(raised.value)


async def test_no_provider_redirects_to_what_stands_behind_the_server(shop: Shop) -> None:
    async with web(shop, lambda _: Answer(b"", 302, {"location": "http://169.254.169.254/"}), "exa") as opened:
        with pytest.raises(OutsideRefusedError):
            await run(STAGE, {"query": "x"}, HITS, opened.context)


async def test_rubbish_among_the_results_is_left_out(shop: Shop) -> None:
    rows: list[Any] = [
        None, 3, {"title": "no address"}, {"url": "javascript:alert(1)"}, {"url": ["https://x.example"]},
        {"url": "https://ok.example/", "title": 3, "text": {"a": 1}, "score": "high", "highlights": "none"},
        {"url": "https://ok.example/", "title": "again"}, {"url": "https://long.example/" + "x" * 5000},
    ]  # fmt: skip
    async with web(shop, answering({"results": rows}), "exa") as opened:
        outcome = await run(STAGE, {"query": "x"}, Hits(), opened.context)
    (one,) = outcome.hits
    assert (one.extra["url"], one.extra["title"], one.score) == ("https://ok.example/", "", 1)


async def test_a_later_page_that_fails_leaves_what_there_is(shop: Shop) -> None:
    def once(asked: Asked) -> Answer:
        return Answer(json.dumps({"results": ROWS}).encode()) if asked.query["pageno"] == "1" else Answer(status=503)

    async with web(shop, once, "searxng") as opened:
        outcome = await run(STAGE, {"query": "x", "num_results": 30}, Hits(), opened.context)
    assert len(outcome.hits) == 10
    assert "no more than the first 10 results: searxng: it answered 503" in outcome.warnings[0]


async def test_each_call_is_asked_of_the_allowance(shop: Shop) -> None:
    async with web(shop, answering({"results": ROWS}), "searxng") as opened:
        allowance = Allowance(Price(per_call=1.0), 1.0)
        outcome = await run(
            STAGE, {"query": "x", "num_results": 30}, Hits(), replace(opened.context, allowance=allowance)
        )
        spent = await run(STAGE, {"query": "x"}, HITS, replace(opened.context, allowance=allowance))
    assert len(opened.server.asked) == 1
    assert (len(outcome.hits), spent.hits) == (10, HITS)
    assert (allowance.credits, allowance.refused) == (1.0, 2)
    assert "budget leaves nothing" in outcome.warnings[0]


async def test_the_same_search_is_answered_again_for_nothing(shop: Shop) -> None:
    async with web(shop, answering(EXA), "exa", search_cache_s=60) as opened:
        first = await run(STAGE, {"query": "x"}, Hits(), opened.context)
        again = await run(STAGE, {"query": "x", "timeout": 9}, Hits(), opened.context)
        other = replace(opened.context, principal=replace(opened.context.principal, namespace_id="ns_2"))
        await run(STAGE, {"query": "x"}, Hits(), other)
    assert len(opened.server.asked) == 2
    assert again.hits == first.hits
    assert (first.metadata["calls"], again.metadata["calls"]) == (1, 0)


async def test_a_replay_asks_nobody_and_no_record_has_the_key(shop: Shop) -> None:
    tape = RecordingTape()
    async with web(shop, answering({**EXA, "echo": KEY}), "exa") as opened:
        context = opened.context
        live = await run(STAGE, {"query": "x"}, HITS, replace(context, reach=taped_reach(context.reach, tape)))
    calls = [call.recorded() for call in tape.calls]
    assert KEY not in repr(calls)
    playback = PlaybackTape(calls, Archive())
    again = await run(STAGE, {"query": "x"}, HITS, replace(context, reach=taped_reach(context.reach, playback)))
    assert again == live


async def test_a_provider_that_sends_the_key_back_is_not_repeated(shop: Shop) -> None:
    rows = [{"url": f"https://a.example/?k={KEY}", "title": f"your key is {KEY}", "text": KEY}]
    async with web(shop, answering({"results": rows}), "exa") as opened:
        outcome = await run(STAGE, {"query": "x"}, Hits(), opened.context)
    assert KEY not in repr(outcome)
    assert outcome.hits[0].extra["title"] == "your key is [secret]"


async def test_who_is_not_set_up(shop: Shop) -> None:
    with pytest.raises(NotSetUpError, match="TAMIS_SEARCH_PROVIDERS"):
        await run(STAGE, {"query": "x"}, HITS, shop.context(1))
    async with web(shop, answering(EXA), "searxng", "serpapi") as opened:
        with pytest.raises(NotSetUpError, match=r"'searxn'.*did you mean 'searxng'"):
            await run(STAGE, {"query": "x", "provider": "searxn"}, HITS, opened.context)
        with pytest.raises(NotSetUpError, match="serpapi"):
            await run(STAGE, {"query": "x", "provider": "serpapi"}, HITS, opened.context)
    async with web(shop, answering(EXA), "exa", outside_networks="") as opened:
        with pytest.raises(OutsideRefusedError, match="TAMIS_OUTSIDE_NETWORKS"):
            await run(STAGE, {"query": "x"}, HITS, opened.context)


@pytest.mark.parametrize(
    ("provider", "parameters", "message"),
    [
        ("exa", {"category": "recipes"}, "category.*exa has"),
        ("brave", {"category": "news"}, "brave has no categories"),
        ("searxng", {"contents": {"summary": True}}, "no highlights or summary"),
    ],
)
async def test_what_a_provider_cannot_do_is_said(
    provider: str, parameters: dict[str, Any], message: str, shop: Shop
) -> None:
    async with web(shop, answering(EXA), provider) as opened:
        with pytest.raises(ValidationError, match=message):
            await run(STAGE, {"query": "x", **parameters}, HITS, opened.context)
    assert opened.server.asked == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start_published_date": "last week"}, "2026-01-31"),
        ({"start_published_date": "{{DOC.day}}"}, "only the query can name DOC"),
        ({"include_domains": ["{{DOC.host}}"]}, "only the query can name DOC"),
        ({"include_domains": ["https://a.com/x"]}, "no domain"),
        ({"include_domains": ["a.com"], "exclude_domains": ["a.com"]}, "both"),
        ({"num_results": 101}, "100"),
        ({"on_error": "remove"}, "skip"),
    ],
)
def test_wrong_parameters(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        ExternalWebSearch.Parameters.model_validate({"query": "x", **wrong})


async def test_cancelling_leaves_nothing_behind(shop: Shop) -> None:
    async with web(shop, lambda _: Answer(b"{}" * 400, drip_s=0.5), "exa") as opened:
        task = asyncio.ensure_future(run(STAGE, {"query": "x"}, HITS, opened.context))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
