"""Third parties' stages: what installed packages add to the registry by an entry point of the group `tamis.stages`."""

import hashlib
import importlib
import importlib.machinery
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tamis import __version__
from tamis.engine.stage import Effect, Stage, StageKind
from tamis.errors import ConfigurationError

GROUP = "tamis.stages"
_DIGITS = 12
_ORIGINS: dict[str, "Plugin"] = {}


@dataclass(frozen=True, slots=True)
class Plugin:
    """A stage and where it is from. code: SHA-256 of its package's code files, the first 12 hex digits."""

    stage: type[Stage]
    distribution: str
    version: str
    code: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.code})"


def add_plugins(registry: dict[str, type[Stage]], allowed: Iterable[str] = ("*",)) -> list[Plugin]:
    """Put every installed package's stages into the registry; the same packages again change nothing.

    allowed: names of distributions; `*` for all. Of the others nothing is imported.
    Raises: ConfigurationError for a stage that cannot be, and for one whose name another has.
    """
    names = {_normal(name) for name in allowed}
    found = [one for one in entry_points(group=GROUP) if "*" in names or _normal(_owner(one)) in names]
    plugins = [_plugin(one) for one in sorted(found, key=lambda one: (one.name, _owner(one)))]
    _refuse_clashes(registry, plugins)
    for plugin in plugins:
        registry[plugin.stage.id] = plugin.stage
        _ORIGINS[plugin.stage.id] = plugin
    return plugins


def code_version(stage_ids: Iterable[str]) -> str:
    """Of the Tamis that runs these stages, and of each package that one of them is from."""
    plugins = {str(_ORIGINS[one]) for one in stage_ids if one in _ORIGINS}
    return "; ".join([__version__, *sorted(plugins)])


def _plugin(entry: EntryPoint) -> Plugin:
    owner = _owner(entry)
    try:
        stage = entry.load()
        fault = _fault(stage, entry.name)
        code = "" if fault else _code_of(stage)
    # A package of another's may fail in any way as it is imported; the operator is told which one, and how.
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        raise ConfigurationError(
            f"the stage {entry.name!r} of {owner!r} ({entry.value}) cannot be used: {fault}; "
            "uninstall the package, or leave it out of TAMIS_STAGE_PLUGINS"
        )
    return Plugin(stage, owner, entry.dist.version if entry.dist else "?", code)


def _refuse_clashes(registry: Mapping[str, type[Stage]], plugins: Iterable[Plugin]) -> None:
    owners = {stage_id: "tamis" for stage_id in registry if stage_id not in _ORIGINS}
    for plugin in plugins:
        other = owners.setdefault(plugin.stage.id, plugin.distribution)
        if other != plugin.distribution:
            raise ConfigurationError(
                f"two packages have a stage {plugin.stage.id!r}: {other!r} and {plugin.distribution!r}; "
                "uninstall one, or leave it out of TAMIS_STAGE_PLUGINS"
            )


def _fault(stage: Any, name: str) -> str | None:
    """What keeps it from being a stage; None where nothing does."""
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


def _code_of(stage: type[Stage]) -> str:
    """Hash of every code file of the stage's package, by path below it: an edited one is another version."""
    module = importlib.import_module(stage.__module__.partition(".")[0])
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    files = [path for folder in folders for path in folder.rglob("*")]
    if not files and module.__file__:
        files = [Path(module.__file__)]
    suffixes = (*importlib.machinery.SOURCE_SUFFIXES, *importlib.machinery.EXTENSION_SUFFIXES)
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.name.endswith(suffixes)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")
