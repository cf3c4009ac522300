"""Third parties' extractors: what installed packages add by an entry point of the group `tamis.extractors`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tamis.engine.plugins.packages import Kind, Package
from tamis.engine.ports.extraction import Extractor
from tamis.model.vector import FeatureSpec

SUFFIX = "_extractor"
_SAID = (
    "name", "version", "description", "icon", "supported_input_types", "max_inputs", "input_schema", "Parameters",
)  # fmt: skip
_DONE = ("features", "output_schema", "extract")
_ORIGINS: dict[str, Package] = {}


@dataclass(frozen=True, slots=True)
class ExtractorPlugin:
    """An extractor and where it is from."""

    extractor: Extractor
    package: Package


def extractor_plugins(taken: Iterable[str], allowed: Iterable[str] = ("*",)) -> list[ExtractorPlugin]:
    """Every installed package's extractors, made without arguments.

    taken: names that there are already.  allowed: names of distributions; `*` for all, of the others nothing is
    imported.  Raises: ConfigurationError for one that cannot be, and for one whose name another has.
    """
    found = _EXTRACTORS.find(allowed)
    _EXTRACTORS.refuse_clashes(dict.fromkeys(taken, "tamis"), found)
    _ORIGINS.update((name, package) for name, _, package in found)
    return [ExtractorPlugin(made(), package) for _, made, package in found]


def package_of_extractor(name: str) -> Package | None:
    """None where it is Tamis' own."""
    return _ORIGINS.get(name)


def _fault(made: Any, name: str) -> str | None:
    if not isinstance(made, type):
        return "it is no class"
    missing = [one for one in (*_SAID, *_DONE) if not hasattr(made, one)]
    if missing:
        return f"the class has no {', '.join(missing)}"
    found: Any = made
    checks = (
        (found.name == name, f"its name is {found.name!r}, the entry point's is {name!r}"),
        (name.endswith(SUFFIX), f"its name does not end in {SUFFIX!r}"),
        (all(callable(getattr(found, one)) for one in _DONE), f"{', '.join(_DONE)} are its methods"),
        (isinstance(found.Parameters, type) and issubclass(found.Parameters, BaseModel), "Parameters is no model"),
    )
    return next((message for holds, message in checks if not holds), None) or _fault_of_use(found)


def _fault_of_use(made: Any) -> str | None:
    """The catalogue shows its parameters and features, so both have to come out."""
    if made.Parameters.model_config.get("extra") != "forbid":
        return "Parameters takes unknown parameters: derive it from tamis.extending.ExtractorParameters"
    made.Parameters.model_json_schema()
    try:
        parameters = made.Parameters()
    except ValidationError:
        return "Parameters has no defaults: a collection may be made without any"
    extractor = made()
    if not all(isinstance(one, FeatureSpec) for one in extractor.features(parameters)):
        return "features gives something that is no FeatureSpec"
    if not isinstance(extractor.output_schema(parameters).get("properties"), dict):
        return "output_schema has no properties"
    return None


_EXTRACTORS = Kind("extractor", "tamis.extractors", "TAMIS_EXTRACTOR_PLUGINS", _fault)
