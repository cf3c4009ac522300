"""What has to be done so that what is there is as a manifest says, in an order that can be gone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tamis.services.manifests.kind import Body, Crew, Kind, Stored, references, renamed
from tamis.services.manifests.reading import Entry, Written


class Action(StrEnum):
    KEEP = "unchanged"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """fields: those that differ.  refused: why it is not done; empty where it is.

    body: what is written, completed by what is there.  entry: None for a delete.  stored: None for what is new.
    """

    action: Action
    kind: Kind
    name: str
    entry: Entry | None = None
    stored: Stored | None = None
    fields: frozenset[str] = frozenset()
    body: Body = field(default_factory=dict)
    refused: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind.section, self.name


@dataclass(frozen=True, slots=True)
class Plan:
    """steps: deletes, dependants first, and then what the manifest has, what is named first.

    beside: what is there and the manifest does not have, and nobody asked to delete.
    """

    steps: Sequence[Step]
    beside: Sequence[tuple[Kind, Stored]]


There = Mapping[tuple[str, str], tuple[Kind, Stored]]
"""What is there by section and name, with names for ids."""


def plan(written: Written, there: There, losing: frozenset[str], crew: Crew) -> Plan:
    """losing: what may be replaced or deleted, as `collections/notes`."""
    steps: list[Step] = []
    replaced: set[tuple[str, str]] = set()
    for entry in ordered(written.entries):
        step = _step(entry, there.get(entry.key), replaced, losing, crew)
        if step.action is Action.REPLACE and not step.refused:
            replaced.add(step.key)
        steps.append(step)
    mine = {entry.key for entry in written.entries}
    beside = [(kind, one) for key, (kind, one) in there.items() if key not in mine and kind.section != "namespaces"]
    deletes = [
        Step(Action.DELETE, kind, one.name, stored=one)
        for kind, one in beside
        if f"{kind.section}/{one.name}" in losing
    ]
    gone = {step.key for step in deletes}
    first = [step for step in steps if step.action is Action.REPLACE and not step.refused]
    order = _leaves_first([*first, *deletes])
    deletes = [step for step in order if step.action is Action.DELETE]
    return Plan([*deletes, *steps], [one for one in beside if (one[0].section, one[1].name) not in gone])


def _leaves_first(steps: Sequence[Step]) -> list[Step]:
    """By what is named by what: who names another goes before it."""
    keys = {step.key: step for step in steps}
    order: list[Step] = []
    done: set[tuple[str, str]] = set()

    def visit(step: Step) -> None:
        if step.key in done:
            return
        done.add(step.key)
        for other in steps:
            if other.stored is not None and step.key in references(other.stored.body) and other.key in keys:
                visit(other)
        order.append(step)

    for step in steps:
        visit(step)
    return order


def removals(steps: Sequence[Step]) -> list[Step]:
    """What has to go first, in an order in which nothing that stays is named."""
    return _leaves_first([step for step in steps if step.action in (Action.DELETE, Action.REPLACE)])


def _step(
    entry: Entry, found: tuple[Kind, Stored] | None, replaced: set[tuple[str, str]], losing: frozenset[str], crew: Crew
) -> Step:
    if found is None:
        return Step(Action.CREATE, entry.kind, entry.name, entry, body=entry.body)
    kind, stored = found
    body = kind.completed(crew, entry.body, stored)
    fields = differences(kind, entry.body, body, stored)
    rebound = frozenset(name for name, value in body.items() if references({name: value}) & replaced)
    fixed = (fields | rebound) & kind.fixed
    if fixed:
        refused = _refusal(kind, stored, fixed, losing)
        return Step(Action.REPLACE, kind, entry.name, entry, stored, fixed, body, refused)
    changed = fields | rebound
    action = Action.UPDATE if changed else Action.KEEP
    return Step(action, kind, entry.name, entry, stored, changed, body)


def differences(kind: Kind, written: Body, body: Body, stored: Stored) -> frozenset[str]:
    """Fields that are written and are otherwise there. What is not written is left as it is."""
    want, have = kind.full(body), kind.full({**stored.told, **stored.body})
    return frozenset(name for name in written if name != "name" and _told(want, name) != _told(have, name))


def _told(body: Body, name: str) -> Any:
    """What is empty says as little as what is not there."""
    value = body.get(name)
    return None if value in ([], {}) else value


def _refusal(kind: Kind, stored: Stored, fixed: Iterable[str], losing: frozenset[str]) -> str:
    if kind.section == "namespaces":
        return f"{', '.join(sorted(fixed))} of a namespace cannot be changed: make another namespace"
    named = f"{kind.section}/{stored.name}"
    if named in losing:
        return ""
    lost = f", with {stored.holds}" if stored.holds else ""
    return (
        f"{', '.join(sorted(fixed))} cannot be changed: the {kind.label} would be deleted{lost} and made anew; "
        f"ask for that by lose={named}"
    )


def ordered(entries: Sequence[Entry]) -> list[Entry]:
    """As they stand, save that what is named by another of its section goes before it."""
    by_key = {entry.key: entry for entry in entries}
    order: dict[tuple[str, str], Entry] = {}
    begun: set[tuple[str, str]] = set()

    def visit(entry: Entry) -> None:
        if entry.key in begun:
            return
        begun.add(entry.key)
        for key in sorted(references(entry.body)):
            if key[0] == entry.kind.section and key in by_key:
                visit(by_key[key])
        order[entry.key] = entry

    for entry in entries:
        visit(entry)
    return list(order.values())


def by_name(found: Iterable[tuple[Kind, Stored]]) -> There:
    """What is there, with names for the ids of all that is."""
    every = list(found)
    names = {one.resource_id: one.name for _, one in every}
    return {
        (kind.section, one.name): (
            kind,
            Stored(one.resource_id, one.name, renamed(one.body, names), renamed(one.told, names), one.holds),
        )
        for kind, one in every
    }
