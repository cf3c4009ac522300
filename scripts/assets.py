"""`make assets`: bring the files that `assets.toml` names, by npm's own client, and check every hash."""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("assets.toml")


def packages() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(LIST.read_text())["package"]
    return found


def faults() -> list[str]:
    """What of the committed files is not what the list says; empty where all is."""
    return [
        f"{target}: SHA-256 {found}, not {wanted}"
        for package in packages()
        for _, target, wanted in package["files"]
        if (found := _sha256(ROOT / target)) != wanted
    ]


def fetch(package: dict[str, Any], folder: Path) -> None:
    """Raises: SystemExit where a hash is another."""
    spec = f"{package['name']}@{package['version']}"
    done = subprocess.run(["npm", "pack", "--silent", spec], cwd=folder, check=True, capture_output=True, text=True)  # noqa: S607
    archive = folder / done.stdout.split()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package["integrity"]:
        sys.exit(f"{spec}: the archive is sha512-{digest}, not {package['integrity']}")
    with tarfile.open(archive) as packed:
        for name, target, wanted in package["files"]:
            member = packed.extractfile(f"package/{name}")
            data = member.read() if member else b""
            if hashlib.sha256(data).hexdigest() != wanted:
                sys.exit(f"{spec}: {name} has another hash than {LIST.name} says")
            (ROOT / target).write_bytes(data)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for package in packages():
            fetch(package, Path(folder))


if __name__ == "__main__":
    main()
