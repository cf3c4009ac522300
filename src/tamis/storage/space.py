"""Whether something failed because there is no space left, whichever layer below says so."""

import errno
import re
import sqlite3

from tamis.errors import StorageFullError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Libraries in Rust tell the number in their text alone.
_TOLD = re.compile(rf"os error (?:{errno.ENOSPC}|{errno.EDQUOT})\b|No space left on device", re.IGNORECASE)
_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


def is_out_of_space(error: BaseException | None) -> bool:
    """Looks at what the error was raised from, too."""
    while error is not None:
        if isinstance(error, StorageFullError) or getattr(error, "sqlite_errorcode", None) in _SQLITE:
            return True
        if (isinstance(error, OSError) and error.errno in _FULL) or _TOLD.search(str(error)):
            return True
        error = error.__cause__
    return False
