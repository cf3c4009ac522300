"""Collections with judged queries: two that defaults were chosen on, and three that had no say in it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.shared_data import ROOT, json_lines, qrels

from tamis.cli.stdlib_corpus import docstrings

Grades = Mapping[str, Mapping[str, int]]
_NUMBERS = 150
_LONGEST_SUMMARY, _SHORTEST_SUMMARY, _SHORTEST_REST = 200, 25, 150
_FEWEST, _MOST = 3, 150


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """texts, queries: by id.  grades: by query and document; only queries that have a relevant document."""

    name: str
    texts: Mapping[str, str]
    queries: Mapping[str, str]
    grades: Grades


def half_of(query_id: str) -> int:
    """0: defaults may be chosen by it.  1: they are measured by it."""
    return int(hashlib.sha1(query_id.encode(), usedforsecurity=False).hexdigest(), 16) % 2


def scifact() -> JudgedSet:
    """Claims, and the abstracts that prove or refute them."""
    return _stored("scifact", "scifact")


def chorus() -> JudgedSet:
    """What people type into a shop, and 19,406 products that people graded."""
    return _stored("chorus", "chorus_icecat")


def stdlib() -> JudgedSet:
    """First lines of docstrings ask for the rest of theirs, among all docstrings of this Python's own library."""
    texts, queries = {}, {}
    for one in docstrings():
        first, _, rest = one.text.strip().partition("\n\n")
        if half_of(one.name) and _SHORTEST_SUMMARY <= len(first) <= _LONGEST_SUMMARY and len(rest) >= _SHORTEST_REST:
            queries[one.name] = " ".join(first.split())
        texts[one.name] = rest if one.name in queries else one.text
    return JudgedSet("stdlib", texts, queries, {name: {name: 1} for name in queries})


def numbers(products: JudgedSet) -> JudgedSet:
    """Products asked for by a model number that only one of them has."""
    words = {key: set(re.findall(r"[A-Za-z0-9]+", text)) for key, text in products.texts.items()}
    owners: dict[str, list[str]] = {}
    for key, own in words.items():
        for word in own:
            owners.setdefault(word, []).append(key)
    alone = [word for word, keys in owners.items() if len(keys) == 1 and _is_number(word)]
    chosen = sorted(alone, key=lambda word: hashlib.sha1(word.encode(), usedforsecurity=False).digest())[:_NUMBERS]
    grades = {word: {owners[word][0]: 1} for word in chosen}
    return JudgedSet("numbers", products.texts, {word: word for word in chosen}, grades)


def stamps() -> JudgedSet:
    """Categories of drawings ask for their captions, which rarely name them: words are of no help here."""
    rows = [row for row in json_lines(ROOT / "data/tuxpaint_stamps/stamps.jsonl") if row["caption"]]
    grades: dict[str, dict[str, int]] = {}
    for row in rows:
        for category in set(row["category"].split("/")):
            grades.setdefault(category, {})[row["id"]] = 1
    kept = {name: found for name, found in grades.items() if _FEWEST <= len(found) <= _MOST}
    return JudgedSet("stamps", {row["id"]: row["caption"] for row in rows}, {name: name for name in kept}, kept)


def _is_number(word: str) -> bool:
    return len(word) >= 6 and any(one.isdigit() for one in word) and any(one.isalpha() for one in word)


def _stored(name: str, folder: str) -> JudgedSet:
    data = ROOT / "data" / folder
    grades = {query: found for query, found in qrels(data / "qrels.tsv").items() if any(found.values())}
    rows = json_lines(data / "corpus.jsonl")
    texts = {row["id"]: ". ".join(part for part in (row["title"], row["text"]) if part) for row in rows}
    queries = {row["id"]: row["text"] for row in json_lines(data / "queries.jsonl") if row["id"] in grades}
    return JudgedSet(name, texts, queries, grades)
