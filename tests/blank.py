"""A system of record with nothing in it, migrated once for all the tests of a process and copied for each."""

import tempfile
from pathlib import Path

from tamis.storage.metadata import SqliteMetadata, open_sqlite

_BLANK: list[bytes] = []


async def open_blank(path: Path) -> SqliteMetadata:
    """As `open_sqlite`, which makes a new file in eight times the time; that and migrations have tests of their own."""
    if not _BLANK:
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "blank.db"
            await (await open_sqlite(template)).close()
            _BLANK.append(template.read_bytes())
    _lay(path, _BLANK[0])
    return await open_sqlite(path)


def _lay(path: Path, content: bytes) -> None:
    """Nothing where there is a file: it is opened again."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
