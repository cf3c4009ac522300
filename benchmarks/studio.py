"""How soon a page of the studio can be used, and what it weighs, on the demo's data.

A real server with docstrings of Python's standard library, some executions over them, and Debian's Chromium with an
empty cache for each visit. Usable: the document is parsed, its scripts have run and its first content is painted.

    python -m benchmarks.studio [--documents 2000] [--visits 5]
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from rich import print as show
from tests.live import LiveServer

from tamis.cli.ingest import ensure_bucket, ensure_collection, ingest
from tamis.cli.search import pipeline
from tamis.cli.stdlib_corpus import Docstring, docstrings
from tamis.client import Client

_QUESTIONS = ("parse a date", "open a file", "wait for a thread", "a queue with priorities")
# The page's policy lets no text be evaluated in it, so it is waited for within.
_MEASURE = """async () => {
  while (!performance.getEntriesByName("first-contentful-paint").length) {
    await new Promise((go_on) => requestAnimationFrame(go_on));
  }
  const [page] = performance.getEntriesByType("navigation");
  const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const parts = performance.getEntriesByType("resource").filter((one) => one.initiatorType !== "img");
  return {
    usable: Math.max(page.domContentLoadedEventEnd, painted),
    answered: page.responseEnd,
    bytes: page.encodedBodySize + parts.reduce((sum, one) => sum + one.encodedBodySize, 0),
  };
}"""


@dataclass(frozen=True, slots=True)
class Visited:
    """Of one page: medians in milliseconds and the slowest visit, kilobytes without pictures."""

    answered_ms: float
    usable_ms: float
    slowest_ms: float
    kilobytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--visits", type=int, default=5)
    asked = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed (apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder) / "data") as server:
        with server.client() as client:
            pages = _filled(client, asked.documents)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            show(f"{asked.documents} documents, median of {asked.visits} visits with an empty cache")
            show("| page | answered | usable | slowest | weight |\n| --- | --- | --- | --- | --- |")
            for name, found in _visited(browser, server, pages, asked.visits):
                show(
                    f"| {name} | {found.answered_ms:.0f} ms | {found.usable_ms:.0f} ms | {found.slowest_ms:.0f} ms |"
                    f" {found.kilobytes:.0f} kB |"
                )
            browser.close()


def _filled(client: Client, count: int) -> Mapping[str, str]:
    """Addresses by what they show."""
    schema = {"text": "text", "name": "string", "module": "string", "package": "string", "kind": "string"}
    bucket = ensure_bucket(client, "python-stdlib", {**schema, "lines": "integer"})
    fields = ["name", "module", "package", "kind", "lines"]
    collection = ensure_collection(client, "python-docs", bucket, fields)
    ingest(client, bucket, collection, map(Docstring.fields, islice(docstrings(), count)), count)
    ran = [client.post("retrievers/execute", _question(one, collection)) for one in _QUESTIONS]
    document = ran[-1]["documents"][0]["document_id"]
    a, b = (one["execution_id"] for one in ran[:2])
    return {
        "executions": "/executions",
        "an execution": f"/executions/{a}",
        "compare": f"/compare?a={a}&b={b}",
        "playground": f"/playground?from={a}",
        "data": "/data",
        "a bucket": f"/data/buckets/{bucket}",
        "a collection": f"/data/collections/{collection}",
        "a document": f"/data/collections/{collection}/documents/{document}",
        "retrievers": "/retrievers",
        "settings": "/settings",
        "usage": "/settings/usage",
        "audit": "/settings/audit",
    }


def _question(question: str, collection: str) -> dict[str, Any]:
    return pipeline(question, [collection], [{"field": "lines", "operator": "gte", "value": 5}], limit=10)


def _visited(
    browser: Browser, server: LiveServer, pages: Mapping[str, str], visits: int
) -> Iterable[tuple[str, Visited]]:
    with browser.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.goto(f"/sign-in#{server.key}")
        page.wait_for_url("**/executions")
        cookies: Any = context.cookies()
    for name, address in pages.items():
        times = [_visit(browser, server.url, cookies, address) for _ in range(visits)]
        usable = [one["usable"] for one in times]
        answered = statistics.median(one["answered"] for one in times)
        yield name, Visited(answered, statistics.median(usable), max(usable), times[-1]["bytes"] / 1000)


def _visit(browser: Browser, url: str, cookies: Any, address: str) -> dict[str, float]:
    with browser.new_context(base_url=url) as context:
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(address, wait_until="load")
        found: dict[str, float] = page.evaluate(_MEASURE)
        return found


if __name__ == "__main__":
    main()
