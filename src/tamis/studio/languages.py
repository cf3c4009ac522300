"""What the pages say, in one file a language: a key to its text, with `{names}` to be filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

DEFAULT = "en"


class Language:
    """Called with a key: its text. Where this language's file lacks it, the default's stands in."""

    def __init__(self, code: str, texts: Mapping[str, str], default: Mapping[str, str]) -> None:
        self.code = code
        self._texts = {**default, **texts}

    def __call__(self, key: str, /, **values: Any) -> str:
        """Raises: KeyError for a key that no language has."""
        text = self._texts[key]
        return text.format(**values) if values else text

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)

    def count(self, key: str, number: int, /, **values: Any) -> str:
        """The text under `key.one` or `key.other`, with `{n}` the number, thousands apart."""
        form = "one" if number == 1 else "other"
        return self(f"{key}.{form}", n=f"{number:,}", **values)

    def of(self, prefix: str, name: str) -> str:
        """The text under `prefix.name`, or the name itself: for what plug-ins may bring."""
        return self._texts.get(f"{prefix}.{name}", name)


@cache
def languages() -> Mapping[str, Language]:
    """By code."""
    folder = files("tamis.studio").joinpath("languages")
    tables = {
        file.name.removesuffix(".toml"): flattened(tomllib.loads(file.read_text(encoding="utf-8")))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
    return {code: Language(code, texts, tables[DEFAULT]) for code, texts in tables.items()}


def preferred(accept_language: str | None) -> Language:
    """By the header that browsers send; the default where none of its languages is here."""
    known = languages()
    for code in _ranked(accept_language or ""):
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
