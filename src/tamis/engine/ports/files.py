"""Which files the blob store keeps for a namespace, each content once, and who needs them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.principal import Principal


class Files(Protocol):
    """A file is needed by the objects and the documents whose blobs name it, and for a while by who holds it.

    Storing an object or a document takes the files that it names, and lets go those that it named before. The last to
    let a file go takes it out of everybody's reach, in the same transaction; it waits then in `let_go` to be deleted.
    A content that comes again gets a new key: nobody waits for a deletion, and none hits what somebody has found.
    """

    def hold(self, principal: Principal, holder: str, contents: Sequence[str], until: datetime) -> Mapping[str, str]:
        """By SHA-256, the key under which the store has each content or is to be given it, held until then."""
        ...

    def hold_keys(self, principal: Principal, holder: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold files that are known by their keys; those of them that are still kept."""
        ...

    def release(self, principal: Principal, holder: str) -> None:
        """What this holder holds, it needs no longer."""
        ...

    def expire(self, now: datetime, left_by: str | None = None) -> int:
        """Release, of every tenant, what was held until before now, and by holders whose names begin with `left_by`.

        Returns how many holders there were.
        """
        ...

    def let_go(self, limit: int) -> Sequence[tuple[Principal, str]]:
        """Of every tenant, keys of files that nobody needs."""
        ...

    def forget(self, principal: Principal, keys: Sequence[str]) -> None:
        """These have been deleted from the store."""
        ...
