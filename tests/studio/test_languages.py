"""What the pages say: every text that a page asks for is there, and none is left over."""

import re
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tamis import studio
from tamis.model.webhook import EventType
from tamis.studio.languages import DEFAULT, Language, catalogues, flattened, languages, preferred
from tests.studio.shelf import Shelf

STUDIO = Path(studio.__path__[0])
SOURCES = [*STUDIO.glob("templates/*.html"), *STUDIO.glob("*.py")]
KEY = r"[a-z_]+(?:\.[a-z0-9_]+)+"


def said() -> str:
    return "\n".join(path.read_text() for path in SOURCES)


@pytest.mark.parametrize("code", languages())
def test_every_text_that_is_asked_for_is_there(code: str) -> None:
    language = languages()[code]
    asked = set(re.findall(rf"(?:\bt|language|language_of\(request\))\('({KEY})'", said()))
    asked |= set(re.findall(rf"(?:\bt|language|_language|language_of\(request\))\(\"({KEY})\"", said()))
    assert len(asked) > 100
    for key in asked:
        language(key, **dict.fromkeys(re.findall(r"{(\w+)}", language(key)), "x"))


@pytest.mark.parametrize("code", languages())
def test_every_kind_of_event_has_a_name(code: str) -> None:
    for event in EventType:
        assert languages()[code](f"webhook.group.{event.partition('.')[0]}")


def test_no_text_is_left_over() -> None:
    text = said()
    groups = set(re.findall(r"""(?:\bt|language)(?:\.of|\.count)?\(f?['"]([a-z_.]+?)\.?['"{]""", text)) | {
        "pager",
        "status",
    }
    for key in languages()["en"].keys:
        group = key.rpartition(".")[0]
        assert f"'{key}'" in text or f'"{key}"' in text or groups & set(accumulate(group.split("."), "{}.{}".format)), (
            key
        )


@pytest.mark.parametrize("code", [code for code in languages() if code != DEFAULT])
def test_a_language_says_everything_and_fills_in_the_same(code: str) -> None:
    default, texts = (flattened({**catalogues()[one], "format": {}}) for one in (DEFAULT, code))
    assert texts.keys() == default.keys()
    for key, text in texts.items():
        assert text.strip() == text, key
        assert bool(text) == bool(default[key]), key
        assert set(re.findall(r"{(\w*)}", text)) == set(re.findall(r"{(\w*)}", default[key])), key


def test_numbers_and_times_are_written_as_the_language_does() -> None:
    at = datetime(2026, 3, 7, 9, 5, 1, tzinfo=UTC)
    told = {
        code: (one.number(1234567), one.duration(0.5), one.size(1500), one.percent(0.125), one.moment(at), one.day(at))
        for code, one in ((code, language.figures) for code, language in languages().items())
    }
    assert told == {
        "en": ("1,234,567", "0.5 ms", "1.5 kB", "12.5 %", "7 Mar 2026, 09:05:01 UTC", "7 Mar"),
        "de": ("1.234.567", "0,5 ms", "1,5 kB", "12,5 %", "7. März 2026, 09:05:01 UTC", "7. März"),
        "fr": ("1\u202f234\u202f567", "0,5 ms", "1,5 ko", "12,5 %", "7 mars 2026, 09:05:01 UTC", "7 mars"),
    }
    assert [languages()[code].count("list.total", 0) for code in ("en", "de", "fr")] == [
        "0 executions", "0 Ausführungen", "0 exécution",
    ]  # fmt: skip


def test_what_was_chosen_comes_before_the_browsers_wish() -> None:
    for header in (None, "", "en", "en-GB,en;q=0.9", "xx", "de-CH;q=x", "*", "tlh, en;q=0.1"):
        assert preferred(header).code == "en"
    assert preferred("de-CH, fr;q=0.8, en;q=0.7").code == "de"
    assert preferred("it, fr-CA;q=0.8, en;q=0.7").code == "fr"
    assert preferred("de", "fr").code == "fr"
    assert preferred("de", "xx").code == "de"


def test_another_language_is_another_file_that_may_be_incomplete() -> None:
    figures = languages()[DEFAULT].figures
    half = Language("xx", {"nav.executions": "Utförda"}, {"nav.executions": "Executions", "nav.go": "Go"}, figures)
    assert half("nav.executions") == "Utförda"
    assert half("nav.go") == "Go"
    assert Language("xx", {}, {"n.one": "{n} one", "n.other": "{n} many"}, figures).count("n", 1200) == "1,200 many"


def test_it_is_chosen_in_the_bar_and_kept(page: Page, shelf: Shelf) -> None:
    page.goto("/executions?status=completed")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.select_option("#language", "de")
    expect(page.locator("h1")).to_have_text("Ausführungen")
    assert page.url.endswith("/executions?status=completed")
    page.goto(f"/executions/{shelf.plain}")
    expect(page.get_by_role("button", name="Warum hier?").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.select_option("#language", "fr")
    expect(page.get_by_role("link", name="Exécutions").first).to_be_visible()
    answer = page.request.post("/studio/language", form={"language": "xx"}, max_redirects=0)
    assert answer.status == 400
    assert "language: one of en, de, fr" in answer.text()


def test_a_share_that_is_next_to_nothing_is_told_as_that() -> None:
    figures = languages()["de"].figures
    assert [figures.percent(share) for share in (0.0, 0.00004, 0.001, 1.0)] == ["0 %", "< 0,1 %", "0,1 %", "100 %"]
