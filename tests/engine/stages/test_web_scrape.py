"""web_scrape: the text of a page, and what happens without one."""

from dataclasses import replace

import pydantic
import pytest

from tamis.engine.reach import Reach
from tamis.engine.stages.web_scrape import WebScrape
from tamis.model.hits import Hits
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import SecretStore
from tests.engine.stages.shop import Shop, hit, run
from tests.outside.server import Answer, Asked, served

PAGE = """<html lang="en"><head><title>On knives</title><meta name="description" content="All of it">
<script>document.title = "ran"</script></head><body><nav><a href="/home">Home</a></nav><article><h1>On knives</h1>
<p>A paring knife is a small knife that is used for peeling fruit and vegetables, and for other fine work.</p>
<p>A bread knife has a serrated edge. <a href="more.html">Read more</a></p><img src="/k.png" alt="a knife"></article>
</body></html>"""


def pages(asked: Asked) -> Answer:
    return Answer(PAGE.encode()) if asked.path == "/a/page" else Answer(status=404)


async def test_the_example(shop: Shop) -> None:
    async with served(pages) as server:
        context = replace(shop.context(1), reach=Reach(outside=HttpOutside(server.rules(), SecretStore())))
        hits = Hits.of([hit("a", url=f"{server.url}/a/page"), hit("b", url=f"{server.url}/none"), hit("c")])
        outcome = await run("web_scrape", {**WebScrape.example, "result_field": "page"}, hits, context)
        assert [one.id for one in (await run("web_scrape", {"on_error": "remove"}, hits, context)).hits] == ["a"]
    page = outcome.hits[0].extra["page"]
    assert isinstance(page, dict)
    assert (page["title"], page["description"], page["language"]) == ("On knives", "All of it", "en")
    assert "serrated edge" in str(page["markdown"])
    assert "document.title" not in str(page["markdown"])
    assert {"text": "Read more", "href": f"{server.url}/a/more.html"} in list(page["links"] or ())  # type: ignore[arg-type]
    assert "html" not in page
    assert outcome.hits[2].extra["page"] == {
        "status": "error", "error": "the document names no page", "markdown": None,
    }  # fmt: skip
    assert outcome.warnings == ("b: the page answered 404", "c: the document names no page")


def test_scripts_are_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="never run"):
        WebScrape.Parameters.model_validate({"wait_for": 2000})
    assert WebScrape.Parameters.model_validate({"timeout_ms": 1500}).timeout == 1.5  # type: ignore[attr-defined]
    with pytest.raises(pydantic.ValidationError, match="not followed"):
        WebScrape.Parameters.model_validate({"max_depth": 2})
