"""What the pages say, in one file a language: a key to its text, with `{names}` to be filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from tamis.studio.figures import Figures

DEFAULT = "en"


class Language:
    """Called with a key: its text. Where this language's file lacks it, the default's stands in.

    figures: how it writes numbers and times.  name: what it calls itself.
    """

    def __init__(self, code: str, texts: Mapping[str, str], default: Mapping[str, str], figures: Figures) -> None:
        self.code = code
        self.figures = figures
        self._texts = {**default, **texts}

    @property
    def name(self) -> str:
        return self._texts["app.language"]

    def __call__(self, key: str, /, **values: Any) -> str:
        """Raises: KeyError for a key that no language has."""
        text = self._texts[key]
        return text.format(**values) if values else text

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)

    def count(self, key: str, number: int, /, **values: Any) -> str:
        """The text under `key.one` or `key.other`, with `{n}` the number, thousands apart."""
        form = "one" if number in self.figures.singular else "other"
        return self(f"{key}.{form}", n=self.figures.number(number), **values)

    def of(self, prefix: str, name: str) -> str:
        """The text under `prefix.name`, or the name itself: for what plug-ins may bring."""
        return self._texts.get(f"{prefix}.{name}", name)


@cache
def languages() -> Mapping[str, Language]:
    """By code, the default first."""
    tables = {code: dict(table) for code, table in catalogues().items()}
    figures = {code: Figures.of(table.pop("format")) for code, table in tables.items()}
    texts = {code: flattened(table) for code, table in tables.items()}
    return {code: Language(code, texts[code], texts[DEFAULT], figures[code]) for code in tables}


def catalogues() -> Mapping[str, Mapping[str, Any]]:
    """What the files say, by code, the default first."""
    found = [file for file in files("tamis.studio").joinpath("languages").iterdir() if file.name.endswith(".toml")]
    ordered = sorted(found, key=lambda file: (not file.name.startswith(f"{DEFAULT}."), file.name))
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in ordered}


def preferred(accept_language: str | None, chosen: str | None = None) -> Language:
    """The one that a person chose, else by the header that browsers send; the default where none of those is here."""
    known = languages()
    for code in (chosen or "", *_ranked(accept_language or "")):
        if code in known:
            return known[code]
    return known[DEFAULT]


def flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in table.items():
        found.update(flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return found


def _ranked(header: str) -> list[str]:
    """Language codes without their regions, the most wanted first."""
    wanted = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [code for _, code in sorted(wanted, key=lambda pair: pair[0])]
