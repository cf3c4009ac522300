"""What can be told about a stage's parameters before anything runs, while some still are templates."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, get_args

import pydantic
from pydantic import BaseModel

from tamis.engine.planning.inputs import Problem, fault, raise_all
from tamis.engine.querying.features import is_output, resolve_feature
from tamis.engine.templating import templates
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.filters import Filter, parse_filter
from tamis.model.json import JSON
from tamis.model.matching import check_filter

Loc: TypeAlias = list[str | int]

# These say that a shape is wrong, which no template inside the value can put right.
_SHAPE = ("missing", "extra_forbidden")


def parameter_problems(
    model: type[BaseModel], raw: Mapping[str, Any], loc: Loc, final: bool = False
) -> tuple[BaseModel | None, list[Problem]]:
    """The parameters, validated, or None; and what is wrong with them.

    A fault that a template may still put right is left for the run, unless this is `final`.
    """
    unknown = _unknown(model, raw, loc)
    try:
        return model.model_validate(raw), unknown
    except pydantic.ValidationError as error:
        located = [(*_inside(raw, one), one) for one in error.errors(include_url=False)]
    verbatim = getattr(model, "verbatim", ())
    places = (
        []
        if final
        else [path for path, _, one in located if not (path and path[0] in verbatim) and _is_open(raw, path, one)]
    )
    problems = [
        fault([*loc, *path], _message(model, path, one), one["type"])
        for path, skipped, one in located
        if not (path in places or (skipped and _any_below(places, path)))
    ]
    told = {tuple(problem["loc"]) for problem in unknown}
    return None, _distinct([*unknown, *(one for one in problems if tuple(one["loc"]) not in told)])


def validated(model: type[BaseModel], resolved: Mapping[str, Any], loc: Loc) -> BaseModel:
    """Parameters whose templates are filled. Raises: ValidationError with every fault."""
    parameters, problems = parameter_problems(model, resolved, loc, final=True)
    raise_all(problems)
    if parameters is None:
        raise ValidationError.at(loc, "the parameters are not valid")
    return parameters


def feature_problems(raw: Mapping[str, Any], collections: Sequence[Collection], loc: Loc) -> Iterator[Problem]:
    """Feature URIs that none of the collections has; those of templates are left for the run.

    A stage's own `feature_uri` may also be an output's name; a search's may not.
    """
    for place, uri, lexical, identifiers in _feature_uris(raw, loc, raw):
        meant = _among(collections, identifiers)
        if templates.find(uri) is not None or (place[:-1] == loc and is_output(uri, meant)):
            continue
        try:
            resolve_feature(uri, meant, lexical, place)
        except ValidationError as error:
            yield from error.problems


def checked_filter(raw: JSON, loc: Loc) -> Filter | None:
    """A filter without templates, parsed. Raises: ValidationError."""
    parsed = parse_filter(raw, loc)
    check_filter(parsed, loc)
    return parsed


def _feature_uris(value: Any, loc: Loc, holder: Mapping[str, Any]) -> Iterator[tuple[Loc, str, bool, Any]]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _feature_uris(item, [*loc, position], holder)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "feature_uri" and isinstance(item, str):
            identifiers = value.get("collection_identifiers") or holder.get("collection_identifiers")
            yield [*loc, key], item, value.get("lexical") is True, identifiers
        elif isinstance(item, dict | list):
            yield from _feature_uris(item, [*loc, key], holder)


def _among(collections: Sequence[Collection], identifiers: Any) -> Sequence[Collection]:
    """Those of the collections that a search names; all of them where it names none, or some only a run can tell."""
    if not isinstance(identifiers, list) or templates.mentions(identifiers):
        return collections
    return [one for one in collections if one.collection_id in identifiers or one.name in identifiers] or collections


def _unknown(model: type[BaseModel], raw: Mapping[str, Any], loc: Loc) -> list[Problem]:
    if model.model_config.get("extra") == "allow":
        return []
    known = _names(model)
    return [
        fault([*loc, name], f"unknown parameter{_nearest(name, known)}", "extra_forbidden")
        for name in raw
        if name not in known
    ]


@lru_cache(maxsize=1024)
def _names(model: type[BaseModel]) -> frozenset[str]:
    names = set(model.model_fields)
    for field in model.model_fields.values():
        alias = field.validation_alias or field.alias
        choices = alias.choices if isinstance(alias, pydantic.AliasChoices) else [alias]
        names.update(choice for choice in choices if isinstance(choice, str))
    return frozenset(names)


def _message(model: type[BaseModel], path: Loc, error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        known = {name for holder in _models_at(model, path[:-1]) for name in _names(holder)}
        return f"unknown parameter{_nearest(str(path[-1]), known) if known else ''}"
    return str(error["msg"]).removeprefix("Value error, ")


def _models_at(model: type[BaseModel], path: Loc) -> list[type[BaseModel]]:
    """The models that what stands at the path may be of."""
    found = [model]
    for part in path:
        if isinstance(part, str):
            fields = [one.model_fields[part] for one in found if part in one.model_fields]
            found = [inner for field in fields for inner in _models_in(field.annotation)]
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(sorted(known)) or 'none'}"


def _inside(raw: Any, error: Mapping[str, Any]) -> tuple[Loc, bool]:
    """Pydantic's place as a path into what was sent: names of union members and validators are left out.

    Also whether any was.
    """
    path: Loc = []
    loc = error["loc"]
    value, skipped = raw, False
    for position, part in enumerate(loc):
        is_absent = error["type"] == "missing" and position == len(loc) - 1
        if isinstance(value, dict) and (part in value or is_absent):
            path.append(part)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            path.append(part)
            value = value[part]
        else:
            skipped = True
    return path, skipped


def _is_open(raw: Any, path: Loc, error: Mapping[str, Any]) -> bool:
    """Whether what stands there is, or holds, a template that is filled before the stage runs."""
    if error["type"] in _SHAPE:
        return False
    value = raw
    for part in path:
        value = value[part]
    return bool(templates.mentions(value) - {"DOC"})


def _any_below(places: Sequence[Loc], path: Loc) -> bool:
    above = path[:-1]
    return any(place[: len(above)] == above for place in places)


def _distinct(problems: Sequence[Problem]) -> list[Problem]:
    return list({(tuple(one["loc"]), one["msg"]): one for one in problems}.values())
