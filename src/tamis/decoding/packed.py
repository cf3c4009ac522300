"""Archives, before anything in them is opened: how much it would be."""

import zipfile
from pathlib import Path

from tamis.decoding.unreadable import UnreadableError

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_ENTRIES = 20_000
_LARGEST_PART = 96 << 20
"""Of one part that is parsed whole."""
_HIGHEST_RATIO = 400
_UNSUSPECTED = 8 << 20
"""Bytes that may come out of any ratio."""
_ENCRYPTED = 0x1


def check_archive(path: Path, most_bytes: int) -> None:
    """By what its directory declares; an entry that holds more than it declares is not read any further.

    Raises: UnreadableError where it is no archive, is encrypted, or too much would come out.
    """
    with path.open("rb") as file:
        head = file.read(len(_OLD))
    if not head:
        raise UnreadableError("the file is empty")
    if head == _OLD:
        raise UnreadableError("the file is protected by a password, or of an Office before 2007, which is not read")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(f"the file cannot be read as an Office document: {error}") from None
    if len(entries) > _MOST_ENTRIES:
        raise UnreadableError(f"{len(entries)} parts are packed in the file; at most {_MOST_ENTRIES} are read")
    if sum(entry.file_size for entry in entries) > most_bytes:
        raise UnreadableError(f"more than {most_bytes >> 20} MiB would come out of the file")
    for entry in entries:
        _check_entry(entry)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise UnreadableError("the file is encrypted")
    if entry.filename.endswith((".xml", ".rels")) and entry.file_size > _LARGEST_PART:
        raise UnreadableError(f"a part of the file is larger than {_LARGEST_PART >> 20} MiB")
    if entry.file_size > _UNSUSPECTED and entry.file_size > _HIGHEST_RATIO * max(1, entry.compress_size):
        raise UnreadableError("a part of the file is packed so densely that it is taken for a bomb")
