"""Files as extractors are given them."""

from pathlib import Path
from uuid import uuid4

from tamis.decoding.sniffing import content_type
from tamis.engine.ports.extraction import SourceFile


def on_disk(data: bytes, folder: Path, declared_type: str | None = None) -> SourceFile:
    path = folder / uuid4().hex
    path.write_bytes(data)
    return source_file(path, declared_type)


def source_file(path: Path, declared_type: str | None = None) -> SourceFile:
    return SourceFile(path, path.stat().st_size, content_type(path), declared_type)
