"""Third parties' stages: what installed packages add to the registry by an entry point of the group `tamis.stages`."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tamis import __version__
from tamis.engine.plugins.extractor_plugins import package_of_extractor
from tamis.engine.plugins.packages import Kind, Package
from tamis.engine.stage import Effect, Stage, StageKind

_ORIGINS: dict[str, Package] = {}


@dataclass(frozen=True, slots=True)
class Plugin:
    """A stage and where it is from."""

    stage: type[Stage]
    package: Package

    def __str__(self) -> str:
        return str(self.package)


def add_plugins(registry: dict[str, type[Stage]], allowed: Iterable[str] = ("*",)) -> list[Plugin]:
    """Put every installed package's stages into the registry; the same packages again change nothing.

    allowed: names of distributions; `*` for all. Of the others nothing is imported.
    Raises: ConfigurationError for a stage that cannot be, and for one whose name another has.
    """
    found = _STAGES.find(allowed)
    _STAGES.refuse_clashes({one: "tamis" for one in registry if one not in _ORIGINS}, found)
    for name, stage, package in found:
        registry[name] = stage
        _ORIGINS[name] = package
    return [Plugin(stage, package) for _, stage, package in found]


def code_version(stage_ids: Iterable[str], extractors: Iterable[str] = ()) -> str:
    """Of the Tamis that runs these stages over what these extractors made, and of each package that one is from."""
    packages = {str(_ORIGINS[one]) for one in stage_ids if one in _ORIGINS}
    packages |= {str(found) for one in extractors if (found := package_of_extractor(one)) is not None}
    return "; ".join([__version__, *sorted(packages)])


def _fault(stage: Any, name: str) -> str | None:
    if not isinstance(stage, type):
        return "it is no class"
    missing = [one for one in ("id", "kind", "icon", "description", "Parameters", "effects") if not hasattr(stage, one)]
    if missing:
        return f"the class has no {', '.join(missing)}"
    found: Any = stage
    checks = (
        (found.id == name, f"its id is {found.id!r}, the entry point's name is {name!r}"),
        (isinstance(found.kind, StageKind), "kind is no StageKind"),
        (_are_effects(found.effects), "effects is no frozenset of Effect"),
        (inspect.iscoroutinefunction(getattr(found, "run", None)), "it has no `async def run(self, hits, context)`"),
        (isinstance(found.Parameters, type) and issubclass(found.Parameters, BaseModel), "Parameters is no model"),
    )
    return next((message for holds, message in checks if not holds), None) or _fault_of_parameters(found.Parameters)


def _are_effects(effects: Any) -> bool:
    return isinstance(effects, frozenset) and all(isinstance(one, Effect) for one in effects)


def _fault_of_parameters(parameters: type[BaseModel]) -> str | None:
    """An unknown parameter must be an error: a misspelled one would else be ignored."""
    if parameters.model_config.get("extra") != "forbid":
        return "Parameters takes unknown parameters: derive it from tamis.stages.StageParameters"
    parameters.model_json_schema()
    return None


_STAGES = Kind("stage", "tamis.stages", "TAMIS_STAGE_PLUGINS", _fault)
