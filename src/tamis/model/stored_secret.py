"""A secret as it is kept: sealed, with where its value may go."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """sealed: the value under the operator's key, in base64.  key_mark: tells which of the operator's keys.

    hosts: exact names, as `http://name` where it may also go unencrypted; none binds it to nothing.
    namespaces: ids; None lets every namespace use it.
    """

    name: str
    sealed: str
    key_mark: str
    created_at: datetime
    updated_at: datetime
    hosts: tuple[str, ...] = ()
    namespaces: tuple[str, ...] | None = None
