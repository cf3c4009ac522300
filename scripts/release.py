"""The wheel and the source archive of HEAD, into dist/: `make dist`.

Each is built twice, in folders of other names, under another clock, time zone and umask, and has to come out the same
byte by byte: whoever builds the same commit can compare. SHA256SUMS stands beside. Exit status 1 where the two differ,
or where the changelog has no section for the version.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_SEMANTIC = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?(\.dev\d+)?")


class Unfit(Exception):
    """What is to be released is not fit for it; says why."""


def version_of(root: Path) -> str:
    """Raises: Unfit."""
    found = _VERSION.search((root / "src/tamis/__init__.py").read_text())
    if found is None or not _SEMANTIC.fullmatch(found[1]):
        raise Unfit("src/tamis/__init__.py has no semantic version")
    if not re.search(rf"^## {re.escape(found[1])} ", (root / "CHANGELOG.md").read_text(), re.MULTILINE):
        raise Unfit(f"CHANGELOG.md has no section for {found[1]}")
    return found[1]


def built(root: Path, tree: bytes, name: str, umask: int, **environment: str) -> dict[str, bytes]:
    """What hatchling makes of the commit's files, by file name. tree: they, as a tar archive."""
    with tempfile.TemporaryDirectory(prefix="tamis-dist-") as scratch:
        folder, target = Path(scratch) / name, Path(scratch) / "out"
        folder.mkdir()
        subprocess.run(["tar", "--extract", "--directory", str(folder)], input=tree, check=True)  # noqa: S607
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--directory", str(target)],
            cwd=folder, check=True, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, umask=umask,
        )  # fmt: skip
        return {path.name: path.read_bytes() for path in sorted(target.iterdir())}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def release(root: Path, dist: Path) -> list[str]:
    """The names of what was built. Raises: Unfit."""
    version_of(root)
    tree = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True, capture_output=True).stdout  # noqa: S607
    one = built(root, tree, "one", 0o022, TZ="UTC")
    other = built(root, tree, "another", 0o077, TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    if different := differing(one, other):
        raise Unfit(f"built twice, these come out otherwise: {', '.join(different)}")
    dist.mkdir(exist_ok=True)
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in one.items()]
    for name, content in {**one, "SHA256SUMS": "".join(sums).encode()}.items():
        (dist / name).write_bytes(content)
    return list(one)


def main() -> int:
    try:
        names = release(ROOT, DIST)
    except Unfit as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"dist/{name}" for name in names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
