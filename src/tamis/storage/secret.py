"""The secret of this data directory: made once, kept beside the data, readable by its owner alone.

What the servers of one installation sign with is the first of theirs that the system of record was offered.
"""

import os
import secrets
from pathlib import Path

from tamis.errors import StorageError

_BYTES = 32


def signing_secret(path: Path) -> bytes:
    """The secret at `path`, made there if there is none. Raises: StorageError where it is not one of ours."""
    if not path.exists():
        partial = path.with_suffix(f".{secrets.token_hex(4)}.partial")
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link fails where another process was first; then its secret is the one.
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    secret = path.read_bytes()
    if len(secret) != _BYTES:
        raise StorageError(f"{path.name} in the data directory is not a secret of {_BYTES} bytes; delete it")
    return secret
