"""A published search's documents as cards: only what left through its exposed fields is here to be shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tamis.model.filters import canonical_path
from tamis.studio.faces import NAMES, TEXTS, Media
from tamis.studio.field_formats import Shown, cut, origin_of, shown, web_address

_FILES = "document_blobs"
_USUAL_TEXT = 280
_PLAYED = ("video", "image", "audio")
"""Kinds of files that a card shows, the one that says most first."""


@dataclass(frozen=True, slots=True)
class ResultCard:
    """link: where its title leads; empty where nowhere.  facts: labels with values, in the publisher's order."""

    id: str
    title: str
    link: str
    text: str
    media: Media | None
    facts: tuple[tuple[str, Shown], ...]
    score: str

    @property
    def addresses(self) -> Iterator[str]:
        """What a browser fetches for it."""
        if self.media is not None:
            yield self.media.url
        yield from (fact.url for _, fact in self.facts if fact.kind == "image")


class ResultCards:
    """display: the whole display configuration.  now: what times are told relative to."""

    def __init__(self, display: Mapping[str, Any], now: datetime) -> None:
        self._card: Mapping[str, Any] = display["components"]["result_card"]
        self._formats: Mapping[str, Any] = {canonical_path(name): one for name, one in display["field_config"].items()}
        self._paths = _ordered(self._card["field_order"], display["exposed_fields"])
        self._now = now

    def of(self, documents: Iterable[Mapping[str, Any]]) -> list[ResultCard]:
        return [self._one(document) for document in documents]

    def _one(self, document: Mapping[str, Any]) -> ResultCard:
        values = {path: _at(document, path.split(".")) for path in self._paths}
        title_path, text_path = self._named(values, NAMES), self._named(values, TEXTS)
        media, media_path = self._media(values)
        link_path = next((path for path in values if self._format(path) == "url" and web_address(values[path])), None)
        told = {title_path, text_path, media_path, _FILES}
        return ResultCard(
            id=str(document["document_id"]),
            title=cut(str(values[title_path]), self._card["truncate_title"]) if title_path else "",
            link=web_address(values[link_path]) if link_path else "",
            text=cut(str(values[text_path]), self._card["truncate_description"] or _USUAL_TEXT) if text_path else "",
            media=media,
            facts=tuple(self._facts({path: value for path, value in values.items() if path not in told})),
            score=f"{document['score']:.3f}" if self._card["show_score"] else "",
        )

    def _format(self, path: str) -> str | None:
        config = self._formats.get(path)
        return config["format"] if config else None

    def _named(self, values: Mapping[str, Any], names: Sequence[str]) -> str | None:
        """The field that people would call so, as long as its publisher gave it no other format than text."""
        for name in names:
            for path, value in values.items():
                is_text = isinstance(value, str) and bool(value) and self._format(path) in (None, "text")
                if is_text and path.rpartition(".")[2] == name:
                    return path
        return None

    def _media(self, values: Mapping[str, Any]) -> tuple[Media | None, str | None]:
        """The first picture that a field is said to be, else a stored file of the document that can be shown."""
        if not self._card["show_thumbnail"]:
            return None, None
        for path, value in values.items():
            first = value[0] if isinstance(value, list) and value else value
            if self._format(path) == "image" and web_address(first):
                return Media("image", web_address(first)), path
        files = [one for one in values.get(_FILES) or () if one.get("type") in _PLAYED and one.get("url")]
        ordered = sorted(files, key=lambda one: _PLAYED.index(one["type"]))
        if not ordered:
            return None, None
        return Media(ordered[0]["type"], web_address(ordered[0]["url"]), *_part(values)), None

    def _facts(self, values: Mapping[str, Any]) -> Iterator[tuple[str, Shown]]:
        for path, value in values.items():
            config = self._formats.get(path)
            found = shown(value, config, self._now)
            label = (config["format_options"]["label"] if config else None) or path.rpartition(".")[2].replace("_", " ")
            if found is not None:
                yield label, found


def origins_of(cards: Iterable[ResultCard]) -> set[str]:
    """Other hosts that a browser asks to show these."""
    return {origin for card in cards for one in card.addresses if (origin := origin_of(one)) is not None}


def _ordered(first: Sequence[str], every: Sequence[str]) -> tuple[str, ...]:
    """Every exposed field once, those that the publisher ordered before the others."""
    exposed = [canonical_path(name) for name in every]
    wanted = [path for path in map(canonical_path, first) if path in exposed]
    return tuple(dict.fromkeys([*wanted, *exposed]))


def _at(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = document
    for place, name in enumerate(path):
        if isinstance(value, list):
            return [_at(one, path[place:]) for one in value if isinstance(one, Mapping)]
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _part(values: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Of a film or a recording, the seconds that the document is about, where those are exposed."""
    start, end = (values.get(name) for name in ("start_time", "end_time"))
    return (
        float(start) if isinstance(start, int | float) else None,
        float(end) if isinstance(end, int | float) else None,
    )
