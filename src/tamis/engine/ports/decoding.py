"""The port for files of media: decoded in processes of their own, which may die without the server."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Decoding(Protocol):
    """Calls block; callers run them on worker threads."""

    def decode(
        self, task: str, file: Path, options: Any, kind: type[T], work: Path, timeout_s: float | None = None
    ) -> T:
        """What a decoder makes of a file.

        task: one of `decoding/tasks.py`, or `module:function` of a package of your own.  options: its frozen dataclass.
        kind: the dataclass that it answers.  work: an empty folder, where it leaves what is too large to answer.
        timeout_s: None is the server's own limit.
        Raises: DecodeError.
        """
        ...

    def folder(self) -> AbstractContextManager[Path]:
        """An empty folder to work in, gone afterwards."""
        ...

    def content_type(self, file: Path) -> str:
        """Such as `image/png`, by what is in the file and never by its name; `application/octet-stream` if unknown."""
        ...

    def close(self) -> None:
        """Ends the processes; what they were at fails."""
        ...
