"""A manifest as it was written: its entries with their places, and every fault in them."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tamis.errors import TamisError, ValidationError
from tamis.model.fault import Fault
from tamis.services.manifests.kind import Body, Kind
from tamis.services.manifests.yaml_text import Path, Text, read

VERSION = "1.0"
MOST_ENTRIES = 500
_TOP = ("version", "metadata")


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource. place: where it stands.  full: as its kind compares it."""

    kind: Kind
    name: str
    body: Body
    full: Body
    place: Path

    @property
    def key(self) -> tuple[str, str]:
        return self.kind.section, self.name


@dataclass
class Written:
    """namespace: the name of the one that it is of; None where it says none."""

    text: Text
    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def namespace(self) -> str | None:
        return next((one.name for one in self.entries if one.kind.section == "namespaces"), None)

    def fault(self, place: Path, problem: str) -> Fault:
        return Fault(str(self.text.line(place)), spelt(place), problem)

    def blame(self, place: Path, problem: str) -> None:
        self.faults.append(self.fault(place, problem))

    def blame_error(self, entry: Entry, error: TamisError) -> None:
        """A service's error where the entry has what it is about."""
        if not isinstance(error, ValidationError) or not error.problems:
            self.blame(entry.place, error.message)
            return
        for problem in error.problems:
            inside = [*problem["loc"][1:]] if problem["loc"][:1] == ["body"] else []
            if inside:
                inside[0] = entry.kind.spellings.get(inside[0], inside[0])
            self.blame((*entry.place, *inside), str(problem["msg"]))

    def refuse(self) -> None:
        """Raises: ValidationError with every fault, where there is one."""
        if self.faults:
            faults = sorted(self.faults, key=lambda one: int(one.kind))
            problems = [
                {"loc": ["body", "manifest_file", one.where], "msg": said(one), "type": "manifest"} for one in faults
            ]
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise ValidationError(f"{said(faults[0])}{more}", problems=problems)


def said(fault: Fault) -> str:
    return (
        f"line {fault.kind}, {fault.where}: {fault.problem}" if fault.where else f"line {fault.kind}: {fault.problem}"
    )


def spelt(place: Sequence[str | int]) -> str:
    """`collections[0].source.bucket_ids[1]`."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).removeprefix(".")


def read_manifest(data: bytes, kinds: Sequence[Kind]) -> Written:
    """Every fault of form is in it. Raises: ValidationError for what is no YAML."""
    written = Written(read(data))
    root = written.text.value
    if not isinstance(root, dict):
        written.blame((), "a manifest has version, and lists of resources such as buckets, collections, retrievers")
        return written
    _check_top(written, root, kinds)
    for kind in kinds:
        section = root.get(kind.section)
        if section is not None and not isinstance(section, list):
            written.blame((kind.section,), f"a list of {kind.section}")
        for index, body in enumerate(section if isinstance(section, list) else ()):
            _read_entry(written, kind, body, (kind.section, index))
    _check_whole(written)
    return written


def _check_top(written: Written, root: dict[str, Any], kinds: Iterable[Kind]) -> None:
    version = root.get("version")
    if str(version) != VERSION:
        written.blame(("version",) if "version" in root else (), f'write version: "{VERSION}"')
    if not isinstance(root.get("metadata", {}), dict):
        written.blame(("metadata",), "an object, with the manifest's name")
    known = [*_TOP, *(kind.section for kind in kinds)]
    for name in root:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(known)}"
            written.blame((name,), f"no part of a manifest; {hint}")


def _read_entry(written: Written, kind: Kind, body: Any, place: Path) -> None:
    if not isinstance(body, dict):
        written.blame(place, f"an object that describes a {kind.label}, with its name")
        return
    name = body.get("name")
    if not isinstance(name, str) or not name:
        written.blame((*place, "name"), f"a {kind.label} has a name")
        return
    own = {key: value for key, value in body.items() if key != "namespace"}
    entry = Entry(kind, name, own, {}, place)
    if kind.section != "namespaces" and "namespace" in body and not isinstance(body["namespace"], str):
        written.blame((*place, "namespace"), "the name of the manifest's namespace, or nothing")
    try:
        full = kind.full(own)
    except TamisError as error:
        written.blame_error(entry, error)
        return
    written.entries.append(Entry(kind, name, own, full, place))


def _check_whole(written: Written) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in written.entries:
        if entry.key in seen:
            written.blame((*entry.place, "name"), f"another {entry.kind.label} above has the name {entry.name!r}")
        seen.add(entry.key)
    spaces = [entry for entry in written.entries if entry.kind.section == "namespaces"]
    for entry in spaces[1:]:
        written.blame(entry.place, "a manifest is of one namespace; write another manifest for this one")
    if len(written.entries) > MOST_ENTRIES:
        written.blame(written.entries[MOST_ENTRIES].place, f"a manifest has at most {MOST_ENTRIES} resources")
    root = written.text.value
    for entry in written.entries if spaces and isinstance(root, dict) else ():
        section, index = entry.place
        told = root[str(section)][index].get("namespace")  # type: ignore[index,call-overload,union-attr]  # read above
        if told is not None and told != spaces[0].name:
            written.blame((*entry.place, "namespace"), f"the manifest is of namespace {spaces[0].name!r}")
