"""What is allowed in a manifest and rarely meant: each rule by its name, which may be left out."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tamis.errors import ValidationError
from tamis.model.ids import looks_like_id
from tamis.services.manifests.kind import references
from tamis.services.manifests.reading import Entry, Written, spelt
from tamis.services.manifests.yaml_text import Path

_SECRET = re.compile(r"(?i)(^|_)(password|passwd|secret|token|api_?key|authorization)$")
_INPUT = re.compile(r"(?i)\binput\s*(?:\.|\[\s*['\"])\s*(\w+)")


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Remark:
    """place, line: where.  suggestion: what would be better."""

    rule: str
    severity: Severity
    place: str
    line: int
    message: str
    suggestion: str


_Finding = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class Rule:
    severity: Severity
    find: Callable[[Written], Iterator[_Finding]]
    suggestion: str


def _of(written: Written, section: str) -> list[Entry]:
    return [entry for entry in written.entries if entry.kind.section == section]


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _leaves(child, (*path, index))
    else:
        yield path, value


def _foreign_ids(written: Written) -> Iterator[_Finding]:
    for entry in written.entries:
        for path, value in _leaves(entry.body, entry.place):
            if isinstance(value, str) and looks_like_id(value):
                yield path, f"{value!r} is an id of one namespace and is nothing in another"


def _plain_secrets(written: Written) -> Iterator[_Finding]:
    for entry in written.entries:
        for path, value in _leaves(entry.body, entry.place):
            if isinstance(value, str) and value and "{{" not in value and _SECRET.search(str(path[-1])):
                yield path, f"{path[-1]!r} has its value in the clear"


def _unused_buckets(written: Written) -> Iterator[_Finding]:
    used = {name for entry in _of(written, "collections") for name in references(entry.body)}
    for entry in _of(written, "buckets"):
        if entry.key not in used:
            yield entry.place, f"no collection draws from bucket {entry.name!r}"


def _unsearched_collections(written: Written) -> Iterator[_Finding]:
    retrievers = _of(written, "retrievers")
    searched = [references(entry.body) for entry in retrievers]
    if any(all(section != "collections" for section, _ in named) for named in searched):
        return  # one that names none searches all
    used = {key for named in searched for key in named}
    used |= {key for entry in _of(written, "collections") for key in references(entry.body)}
    for entry in _of(written, "collections"):
        if entry.key not in used:
            yield entry.place, f"no retriever searches collection {entry.name!r}, and nothing is made from it"


def _unused_inputs(written: Written) -> Iterator[_Finding]:
    for entry in _of(written, "retrievers"):
        said = json.dumps(entry.body.get("stages"), ensure_ascii=False)
        used = {name.casefold() for name in _INPUT.findall(said.replace('\\"', '"'))}
        schema = entry.body.get("input_schema")
        for name in schema if isinstance(schema, dict) else ():
            if name.casefold() not in used:
                yield (*entry.place, "input_schema", name), f"no stage asks for the input {name!r}"


def _open_origins(written: Written) -> Iterator[_Finding]:
    for entry in _of(written, "published"):
        for index, origin in enumerate(entry.body.get("allowed_origins") or ()):
            if origin == "*":
                yield (*entry.place, "allowed_origins", index), "scripts of every site may ask"


def _unbounded_spending(written: Written) -> Iterator[_Finding]:
    budgets = {entry.name: entry.body.get("budget_limits") for entry in _of(written, "retrievers")}
    for entry in _of(written, "published"):
        limits = entry.body.get("rate_limit_config") or {}
        if not budgets.get(str(entry.body.get("retriever"))) and "visitor_credits_per_day" not in limits:
            yield entry.place, "anybody may ask, and nothing bounds what one search or one visitor costs"


def _undescribed(written: Written) -> Iterator[_Finding]:
    for entry in (*_of(written, "collections"), *_of(written, "retrievers")):
        if not entry.body.get("description"):
            yield entry.place, f"{entry.kind.label} {entry.name!r} has no description"


RULES: Mapping[str, Rule] = {
    "plain-secret": Rule(Severity.ERROR, _plain_secrets, "store it as a secret and write {{ SECRET.name }}"),
    "foreign-id": Rule(Severity.WARNING, _foreign_ids, "write the name instead"),
    "unbounded-spending": Rule(
        Severity.WARNING, _unbounded_spending, "give the retriever budget_limits, or visitor_credits_per_day here"
    ),
    "open-origin": Rule(Severity.WARNING, _open_origins, "list the sites whose pages may ask"),
    "unused-bucket": Rule(Severity.WARNING, _unused_buckets, "add a collection, or take the bucket out"),
    "unused-input": Rule(Severity.WARNING, _unused_inputs, "use it as {{ INPUT.name }}, or take it out"),
    "unsearched-collection": Rule(Severity.INFO, _unsearched_collections, "name it in a retriever"),
    "undescribed": Rule(Severity.INFO, _undescribed, "say in a sentence what it is for"),
}


def lint(written: Written, skipped: Collection[str]) -> Sequence[Remark]:
    """By line. skipped: rules by name.  Raises: ValidationError for one that there is not."""
    for name in skipped:
        if name not in RULES:
            raise ValidationError.at(["query", "skip_rules"], f"no rule {name!r}; there are {', '.join(RULES)}")
    found = [
        Remark(name, rule.severity, spelt(place), written.text.line(place), message, rule.suggestion)
        for name, rule in RULES.items()
        if name not in skipped
        for place, message in rule.find(written)
    ]
    return sorted(found, key=lambda one: (one.line, one.rule))
