"""Changes to nested JSON, each at one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `after` where `before` stands.

    path: keys and positions into nested JSON.  after: None removes an item from a list.
    """

    path: Path
    before: Any
    after: Any

    def under(self, *path: str | int) -> "Edit":
        return Edit((*path, *self.path), self.before, self.after)


def applied(raw: Any, edits: Sequence[Edit]) -> Any:
    """A copy of nested JSON with the edits made. Raises: LookupError where a path leads nowhere."""
    for edit in edits:
        raw = _put(raw, edit.path, edit.after)
    return raw


def value_at(raw: Any, path: Path) -> Any:
    """Raises: LookupError where the path leads nowhere."""
    for step in path:
        raw = _inside(raw, step)
    return raw


def _inside(raw: Any, step: str | int) -> Any:
    if isinstance(raw, dict):
        return raw[step]
    if isinstance(raw, list) and isinstance(step, int):
        return raw[step]
    raise LookupError(f"{step!r} leads into no object and no list")


def _put(raw: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(raw, dict):
        below = raw[step] if rest else None
        return {**raw, step: _put(below, rest, value)}
    if not isinstance(raw, list) or not isinstance(step, int):
        raise LookupError(f"{step!r} leads into no object and no list")
    inside = _put(raw[step], rest, value)
    removed = not rest and value is None
    return [*raw[:step], *([] if removed else [inside]), *raw[step + 1 :]]
