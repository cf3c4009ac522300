"""external_reverse_image: each provider's protocol, and which pictures are looked for at all."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tamis.engine.reach import Reach
from tamis.engine.stage import Context
from tamis.engine.stages.external_reverse_image import ExternalReverseImage
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped_reach import taped_reach
from tamis.errors import NotSetUpError, OutsideRefusedError, ValidationError
from tamis.model.hits import Hits
from tests.engine.stages.searching import KEY, Web, answering, json_of, web
from tests.engine.stages.shop import Shop, hit, ids, run
from tests.outside.server import Answer

STAGE = "external_reverse_image"
HITS = Hits.of([hit("a", 2.0, photo="https://img.example/a.jpg"), hit("b", 1.0, photo="https://inner.example/b.jpg")])
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nsome picture").decode()
LENS = {
    "search_metadata": {"status": "Success"},
    "visual_matches": [
        {
            "position": 1, "title": "Bread knife", "link": "https://www.shop.example/knife", "source": "Shop",
            "thumbnail": "https://cdn.example/t.jpg", "image": "https://shop.example/knife.jpg",
            "image_width": 800, "image_height": 600,
        },
        {"position": 2, "title": "Also", "link": "https://blog.example/knives"},
        {"position": 3, "title": "no link"},
    ],
}  # fmt: skip


async def _resolve(host: str, _port: int) -> Sequence[str]:
    if not host[0].isalpha():
        return [host]  # an address is itself
    return {"inner.example": ["10.0.0.7"], "nowhere.example": []}.get(host, ["93.184.216.34"])


def seeing(opened: Web) -> Context:
    """The context, with a resolver that knows the pictures' hosts; the provider itself is named by its address."""
    searches = opened.context.reach.web_search
    searches._resolve = _resolve  # type: ignore[attr-defined]  # a name server is no part of a test
    return replace(opened.context, reach=Reach(web_search=searches))


async def test_the_example(shop: Shop) -> None:
    async with web(shop, answering(LENS), "serpapi") as opened:
        outcome = await run(STAGE, ExternalReverseImage.example, HITS, seeing(opened))
    (asked,) = opened.server.asked
    assert (asked.method, asked.path) == ("GET", "/search.json")
    assert asked.query == {"engine": "google_lens", "url": "https://example.com/knife.jpg", "api_key": KEY}
    assert ids(outcome)[:2] == ["a", "b"]
    first, second = outcome.hits[2:]
    assert first.id.startswith("image_")
    assert dict(first.extra) == {
        "source": "reverse_image", "url": "https://www.shop.example/knife", "title": "Bread knife", "site": "Shop",
        "domain": "shop.example", "image_url": "https://shop.example/knife.jpg", "width": 800, "height": 600,
        "thumbnail_url": "https://cdn.example/t.jpg", "search_image": "https://example.com/knife.jpg",
        "search_position": 0, "search_provider": "serpapi", "search_engine": "google_lens",
    }  # fmt: skip
    assert (first.score, second.score) == (1, 1 / 2)


FLAT = {"link": "https://x.example/", "thumbnail": "https://t.example/"}
NESTED = {"thumbnail": {"link": "https://t.example/"}, "original_image": {"link": "https://o.example/", "width": 3}}


@pytest.mark.parametrize(
    ("engine", "parameter", "answer"),
    [
        ("google_reverse_image", "image_url", {"image_results": [FLAT]}),
        ("bing_reverse_image", "image_url", {"related_content": [FLAT]}),
        ("yandex_images", "url", {"image_results": [{**FLAT, **NESTED}]}),
    ],
)
async def test_serpapis_other_engines(engine: str, parameter: str, answer: dict[str, Any], shop: Shop) -> None:
    async with web(shop, answering(answer), "serpapi") as opened:
        parameters = {"image_url": "https://img.example/a.jpg", "engine": engine}
        outcome = await run(STAGE, parameters, Hits(), seeing(opened))
        with pytest.raises(ValidationError, match="google_lens, google_reverse_image"):
            await run(STAGE, {**parameters, "engine": "lens"}, Hits(), seeing(opened))
    assert opened.server.asked[0].query[parameter] == "https://img.example/a.jpg"
    assert outcome.hits[0].extra["thumbnail_url"] == "https://t.example/"


async def test_tineye_takes_an_address_or_the_picture(shop: Shop) -> None:
    match = {
        "image_url": "https://img.tineye.example/1", "domain": "x.example", "score": 87.5, "width": 10, "height": 20,
        "backlinks": [
            {"url": "https://x.example/1.jpg", "backlink": "https://x.example/page", "crawl_date": "2025-01-02"},
            {"url": "https://y.example/1.jpg", "backlink": "https://y.example/page", "crawl_date": "2025-01-03"},
        ],
    }  # fmt: skip
    answer = {"code": 200, "results": {"matches": [match]}}
    async with web(shop, answering(answer), "tineye") as opened:
        by_address = await run(STAGE, {"image_url": "https://img.example/a.jpg"}, Hits(), seeing(opened))
        by_picture = await run(STAGE, {"image_url": f"data:image/png;base64,{PNG}"}, Hits(), seeing(opened))
    first, second = opened.server.asked
    assert first.headers["x-api-key"] == KEY
    assert (first.method, first.query["image_url"]) == ("GET", "https://img.example/a.jpg")
    assert second.method == "POST"
    assert b'name="image_upload"; filename="image.png"\r\nContent-Type: image/png\r\n\r\n' in second.body
    assert base64.b64decode(PNG) in second.body
    assert [one.extra["url"] for one in by_address.hits] == ["https://x.example/page", "https://y.example/page"]
    assert by_address.hits[0].score == 0.875
    assert ids(by_picture) == ids(by_address)
    assert "search_image" not in by_picture.hits[0].extra


async def test_vision_takes_the_picture(shop: Shop) -> None:
    page = {"url": "https://x.example/p", "pageTitle": "P", "partialMatchingImages": [{"url": "https://x.example/i"}]}
    answer = {"responses": [{"webDetection": {"pagesWithMatchingImages": [page]}}]}
    async with web(shop, answering(answer), "vision") as opened:
        outcome = await run(STAGE, {"image_url": f"data:image/png;base64,{PNG}"}, Hits(), opened.context)
    (asked,) = opened.server.asked
    assert asked.headers["x-goog-api-key"] == KEY
    (request,) = json_of(asked)["requests"]
    assert request == {"image": {"content": PNG}, "features": [{"type": "WEB_DETECTION", "maxResults": 20}]}
    assert outcome.hits[0].extra["image_url"] == "https://x.example/i"


async def test_a_picture_for_each_document_and_none_at_an_inner_address(shop: Shop) -> None:
    async with web(shop, answering(LENS), "serpapi") as opened:
        outcome = await run(STAGE, {"image_url": "{{ DOC.photo }}"}, HITS, seeing(opened))
        assert [asked.query["url"] for asked in opened.server.asked] == ["https://img.example/a.jpg"]
        assert "'inner.example' leads to an address that is not public" in outcome.warnings[0]
        for url in ("http://127.0.0.1/x.png", "http://[::1]/x.png", "https://nowhere.example/x.png", "file:///etc/passwd",
                    "http://2130706433/x.png", "https://user:pass@img.example/x.png"):  # fmt: skip
            with pytest.raises(OutsideRefusedError):
                await run(STAGE, {"image_url": url}, HITS, seeing(opened))
    assert len(opened.server.asked) == 1


async def test_what_is_no_picture(shop: Shop) -> None:
    async with web(shop, answering(LENS), "tineye", "serpapi") as opened:
        for image in ("data:text/html;base64,AAAA", "data:image/png;base64,=", "data:image/png,x"):
            with pytest.raises(ValidationError, match="data:image/png;base64"):
                await run(STAGE, {"image_url": image}, HITS, opened.context)
        parameters = {"image_url": f"data:image/png;base64,{PNG}", "provider": "serpapi"}
        with pytest.raises(ValidationError, match="takes a picture's address"):
            await run(STAGE, parameters, HITS, opened.context)
        with pytest.raises(ValidationError, match="give image_url, or the input"):
            await run(STAGE, {}, HITS, opened.context)
        with pytest.raises(NotSetUpError, match="TAMIS_SEARCH_PROVIDERS"):
            await run(STAGE, {"image_url": "https://a.example/x", "provider": "bing"}, HITS, opened.context)
    assert opened.server.asked == []


async def test_a_document_whose_picture_is_none_spoils_no_others(shop: Shop) -> None:
    hits = Hits.of([hit("a", photo="data:text/html;base64,AAAA"), hit("b", photo=f"data:image/png;base64,{PNG}")])
    async with web(shop, answering({"results": {"matches": []}}), "tineye") as opened:
        outcome = await run(STAGE, {"image_url": "{{ DOC.photo }}"}, hits, opened.context)
        assert len(opened.server.asked) == 1
    assert outcome.hits == hits
    assert "data:image/png;base64,..." in outcome.warnings[0]


async def test_a_replay_asks_nobody(shop: Shop) -> None:
    tape = RecordingTape()
    async with web(shop, answering({**LENS, "echo": KEY}), "serpapi") as opened:
        context = replace(seeing(opened), inputs={"image_url": "https://img.example/a.jpg"})
        live = await run(STAGE, {}, HITS, replace(context, reach=taped_reach(context.reach, tape)))
    calls = [call.recorded() for call in tape.calls]
    assert KEY not in repr(calls)
    playback = taped_reach(context.reach, PlaybackTape(calls, Archive()))
    assert await run(STAGE, {}, HITS, replace(context, reach=playback)) == live


async def test_without_an_answer(shop: Shop) -> None:
    async with web(shop, lambda _: Answer(json.dumps({"error": KEY}).encode(), 401), "serpapi") as opened:
        outcome = await run(STAGE, ExternalReverseImage.example, HITS, seeing(opened))
    assert outcome.hits == HITS
    assert "serpapi: it refuses the key" in outcome.warnings[0]
    assert KEY not in repr(outcome)
