"""What the pages say: every text that a page asks for is there, and none is left over."""

import re
from itertools import accumulate
from pathlib import Path

import pytest

from tamis import studio
from tamis.studio.languages import Language, languages, preferred

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


def test_no_text_is_left_over() -> None:
    text = said()
    groups = set(re.findall(r"\bt(?:\.of|\.count)?\('([a-z_.]+?)\.?'", text)) | {"pager", "status"}
    for key in languages()["en"].keys:
        group = key.rpartition(".")[0]
        assert f"'{key}'" in text or f'"{key}"' in text or groups & set(accumulate(group.split("."), "{}.{}".format)), (
            key
        )


def test_the_browsers_wish_is_followed_as_far_as_it_can_be() -> None:
    for header in (None, "", "en", "en-GB,en;q=0.9", "xx", "de-CH;q=x", "*", "tlh, en;q=0.1"):
        assert preferred(header).code == "en"


def test_another_language_is_another_file_that_may_be_incomplete() -> None:
    half = Language("xx", {"nav.executions": "Ausführungen"}, {"nav.executions": "Executions", "nav.go": "Go"})
    assert half("nav.executions") == "Ausführungen"
    assert half("nav.go") == "Go"
    assert Language("xx", {}, {"n.one": "{n} one", "n.other": "{n} many"}).count("n", 1200) == "1,200 many"
