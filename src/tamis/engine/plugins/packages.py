"""Installed packages that add to Tamis by entry points: found, loaded, known by version and code."""

import hashlib
import importlib
import importlib.machinery
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from tamis.errors import ConfigurationError

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Package:
    """code: SHA-256 of its code files, the first 12 hex digits."""

    distribution: str
    version: str
    code: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.code})"


@dataclass(frozen=True, slots=True)
class Kind:
    """What packages add. noun: `stage`.  group: of entry points.  setting: names the packages that are let in.

    fault: what keeps a loaded object, under the entry point's name, from being one; None where nothing does.
    """

    noun: str
    group: str
    setting: str
    fault: Callable[[Any, str], str | None]

    def find(self, allowed: Iterable[str] = ("*",)) -> list[tuple[str, Any, Package]]:
        """(name, object, package) of each, by name. Of packages that are not allowed nothing is imported.

        allowed: names of distributions; `*` for all.  Raises: ConfigurationError for one that cannot be used.
        """
        names = {_normal(name) for name in allowed}
        found = [one for one in entry_points(group=self.group) if "*" in names or _normal(_owner(one)) in names]
        return [(one.name, *self._load(one)) for one in sorted(found, key=lambda one: (one.name, _owner(one)))]

    def refuse_clashes(self, owners: Mapping[str, str], found: Iterable[tuple[str, Any, Package]]) -> None:
        """owners: who has which name already.  Raises: ConfigurationError where two have one."""
        known = dict(owners)
        for name, _, package in found:
            other = known.setdefault(name, package.distribution)
            if other != package.distribution:
                article = "an" if self.noun[0] in "aeiou" else "a"
                raise ConfigurationError(
                    f"two packages have {article} {self.noun} {name!r}: {other!r} and {package.distribution!r}; "
                    f"uninstall one, or leave it out of {self.setting}"
                )

    def _load(self, entry: EntryPoint) -> tuple[Any, Package]:
        owner, found, code = _owner(entry), None, ""
        try:
            found = entry.load()
            fault = self.fault(found, entry.name)
            code = "" if fault else _code_of(found)
        # A package of another's may fail in any way as it is imported; the operator is told which one, and how.
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            raise ConfigurationError(
                f"the {self.noun} {entry.name!r} of {owner!r} ({entry.value}) cannot be used: {fault}; "
                f"uninstall the package, or leave it out of {self.setting}"
            )
        return found, Package(owner, entry.dist.version if entry.dist else "?", code)


def _code_of(found: Any) -> str:
    """Hash of every code file of the object's package, by path below it: an edited one is another version."""
    module = importlib.import_module(found.__module__.partition(".")[0])
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
