"""A real corpus that is on every machine: the docstrings of this Python's own standard library.

Files are parsed with `ast` and never imported. Tests, packages that pip installed and bundled third parties are left
out, for they differ from machine to machine.
"""

import ast
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_SKIPPED_FOLDERS = frozenset({"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "_vendor"})
_SHORTEST_CHARS = 80


@dataclass(frozen=True, slots=True)
class Docstring:
    """kind: module, class or function.  lines: of the source it describes."""

    name: str
    module: str
    package: str
    kind: str
    text: str
    lines: int

    def fields(self) -> dict[str, Any]:
        return asdict(self)


def docstrings(root: Path | None = None) -> Iterator[Docstring]:
    """Every docstring of a public name, of at least 80 characters, in a fixed order.

    root: a folder of modules; the standard library where none is given.
    """
    root = root or Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if _SKIPPED_FOLDERS.isdisjoint(relative.parts):
            yield from _in_file(path, relative)


def _in_file(path: Path, relative: Path) -> Iterator[Docstring]:
    try:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError):
        return
    module = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    yield from _in_node(tree, module, module, source.count("\n") + 1)


def _in_node(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, module: str, name: str, lines: int
) -> Iterator[Docstring]:
    text = ast.get_docstring(node)
    if text and len(text) >= _SHORTEST_CHARS and not any(part.startswith("_") for part in name.split(".")):
        yield Docstring(name, module, module.split(".")[0], _kind(node), text, lines)
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                span = (child.end_lineno or child.lineno) - child.lineno + 1
                yield from _in_node(child, module, f"{name}.{child.name}", span)


def _kind(node: ast.AST) -> str:
    if isinstance(node, ast.Module):
        return "module"
    return "class" if isinstance(node, ast.ClassDef) else "function"
