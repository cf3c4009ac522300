"""Where a parameter stands in a definition as it was written: aliases are spelled as they are there."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from tamis.model.edits import Path


def spelled(model: type[BaseModel] | None, raw: Any, path: Path) -> Path | None:
    """The path of a parameter, named by its fields, in the parameters as written; None where they have no such place.

    A last step that is not written yet is spelled as the field.
    """
    found: list[str | int] = []
    for position, step in enumerate(path):
        name = _name(model, raw, step)
        found.append(name)
        if position == len(path) - 1:
            return tuple(found) if isinstance(raw, Mapping) or _has(raw, name) else None
        if not _has(raw, name):
            return None
        raw = raw[name]
        model = _inner(model, step)
    return ()


def _name(model: type[BaseModel] | None, raw: Any, step: str | int) -> str | int:
    field = model.model_fields.get(step) if model is not None and isinstance(step, str) else None
    written = [name for name in _aliases(field) if isinstance(raw, Mapping) and raw.get(name) is not None]
    return written[0] if written else step


def _aliases(field: FieldInfo | None) -> Iterator[str]:
    alias = field.validation_alias if field else None
    if isinstance(alias, AliasChoices):
        yield from (choice for choice in alias.choices if isinstance(choice, str))


def _has(raw: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(raw, list) and step < len(raw)
    return isinstance(raw, Mapping) and step in raw


def _inner(model: type[BaseModel] | None, step: str | int) -> type[BaseModel] | None:
    """A list's items are of the model that the list was found by."""
    if model is None or isinstance(step, int):
        return model
    field = model.model_fields.get(step)
    return next(_models(field.annotation), None) if field else None


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
