"""Web sites to documents: along links within bounds, under the guards of the outside; what is refused and how."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import ExtractionFailure, Segment, SourceItem
from tamis.extractors.text_extractor import TextExtractor, TextParameters
from tamis.extractors.web_scraper_extractor import WebScraperExtractor, WebScraperParameters
from tamis.inference.models import LocalModels
from tamis.model.principal import Principal
from tamis.outside.blocking import BlockingPages
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import SecretStore
from tests.outside.server import Answer, Asked, Server, served

pytest.importorskip("trafilatura")
ONE = Principal("org_one", "ns_one")
FILLER = "It has been kept by the same family for a hundred years, and its history is told here at some length. " * 3
LINKS = {
    "/": ("Harbour", ["/boats", "/fish#fresh", "/missing", "/map.pdf", "https://elsewhere.example/"]),
    "/boats": ("Boats", ["/", "/boats/sail"]),
    "/fish": ("Fish", []),
    "/boats/sail": ("Sails", ["/boats/sail/deep"]),
    "/boats/sail/deep": ("Deep", []),
}


def site(asked: Asked) -> Answer:
    if asked.path == "/map.pdf":
        return Answer(b"%PDF-1.7", headers={"content-type": "application/pdf"})
    if asked.path not in LINKS:
        return Answer(status=404)
    title, links = LINKS[asked.path]
    anchors = "".join(f'<a href="{link}">to {link}</a>' for link in links)
    body = (
        f"<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1><p>This page is about "
        f"{title.lower()}. {FILLER}</p></article>{anchors}</body></html>"
    )
    return Answer(body.encode(), headers={"content-type": "text/html; charset=utf-8"})


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoding]:
    pool = DecoderPool(tmp_path_factory.mktemp("decoding"), workers=1, timeout_s=20.0)
    yield pool
    pool.close()


@asynccontextmanager
async def scraper(models: LocalModels, decoding: Decoding) -> AsyncIterator[tuple[WebScraperExtractor, Server]]:
    async with served(site) as server:
        pages = BlockingPages(HttpOutside(server.rules(retries=0), SecretStore()), asyncio.get_running_loop())
        yield WebScraperExtractor(models, decoding, pages), server


async def outcome(
    extractor: WebScraperExtractor, models: LocalModels, url: Any, **parameters: Any
) -> Sequence[Segment] | ExtractionFailure:
    chosen = WebScraperParameters.model_validate(parameters)
    item = SourceItem("src", {"url": url}, principal=ONE)
    [found] = await asyncio.to_thread(extractor.extract, [item], chosen, models)
    return found


async def test_pages_along_links_within_bounds(models: LocalModels, decoding: Decoding) -> None:
    async with scraper(models, decoding) as (extractor, server):
        found = await outcome(extractor, models, f"{server.url}/")
        assert not isinstance(found, ExtractionFailure), found.message
        assert [(one.fields["title"], one.fields["crawl_depth"]) for one in found] == [
            ("Harbour", 0), ("Boats", 1), ("Fish", 1), ("Sails", 2)
        ]  # fmt: skip
        assert found[3].fields["parent_url"] == f"{server.url}/boats"
        assert "This page is about boats." in str(found[1].fields["text"])
        assert set(found[0].vectors) == {"embedding", "lexical"}
        unread: Any = found[0].fields["unread"]
        assert [(one["url"].removeprefix(server.url), one["error"]) for one in unread] == [
            ("/missing", "the page answered 404"), ("/map.pdf", "it is application/pdf, and no web page")
        ]  # fmt: skip
        assert sorted(asked.path for asked in server.asked).count("/robots.txt") == 1
        for bounds, titles in (
            ({"max_depth": 0}, ["Harbour"]), ({"max_pages": 2}, ["Harbour", "Boats"]),
            ({"include_patterns": ["/boats"]}, ["Harbour", "Boats", "Sails"]),
            ({"exclude_patterns": ["boats", r"\.pdf$"], "max_depth": 9}, ["Harbour", "Fish"]),
        ):  # fmt: skip
            found = await outcome(extractor, models, f"{server.url}/", **bounds)
            assert not isinstance(found, ExtractionFailure)
            assert [one.fields["title"] for one in found] == titles


async def test_a_page_in_chunks(models: LocalModels, decoding: Decoding) -> None:
    async with scraper(models, decoding) as (extractor, server):
        chosen = {"max_depth": 0, "chunk_strategy": "words", "chunk_size": 20, "chunk_overlap": 5}
        found = await outcome(extractor, models, f"{server.url}/fish", **chosen)
    assert not isinstance(found, ExtractionFailure)
    assert [one.fields["chunk_index"] for one in found] == list(range(len(found)))
    assert {one.fields["total_chunks"] for one in found} == {len(found)}
    assert len(str(found[0].fields["text"]).split()) == 20


async def test_what_cannot_be_read_fails_with_a_reason(models: LocalModels, decoding: Decoding) -> None:
    async with scraper(models, decoding) as (extractor, server):
        for url, reason in (
            (f"{server.url}/missing", "answered 404"), (f"{server.url}/map.pdf", "no web page"),
            ("http://elsewhere.example/", "elsewhere.example"), ("ftp://a/b", "no web address"),
            ("words", "no web address"), (7, "is no text"),
        ):  # fmt: skip
            found = await outcome(extractor, models, url)
            assert isinstance(found, ExtractionFailure), url
            assert reason in found.message
            assert found.error_type == "validation"
        assert await asyncio.to_thread(WebScraperExtractor().extract, [SourceItem("a", {"url": server.url})],
                                       WebScraperParameters(), models) == [
            ExtractionFailure("this server reads no web pages", "dependency")
        ]  # fmt: skip


def test_its_features_are_those_of_texts() -> None:
    assert WebScraperExtractor().features(WebScraperParameters()) == TextExtractor().features(TextParameters())


def test_what_the_contract_has_and_this_does_not_do_is_refused_unless_it_asks_for_nothing() -> None:
    WebScraperParameters.model_validate({"render_strategy": "auto", "proxies": None, "generate_code_embeddings": True})
    for wrong, reason in (
        ({"render_strategy": "javascript"}, "does not do"), ({"crawl_goal": "find prices"}, "does not do"),
        ({"include_patterns": ["(?<=a)b"]}, "no pattern of RE2"), ({"depth": 1}, "Extra inputs"),
        ({"chunk_strategy": "words", "chunk_size": 50}, "must be less"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=reason):
            WebScraperParameters.model_validate(wrong)
