"""Addresses of files that the blob store keeps by their content."""

from collections.abc import Iterable

OURS = "blob://"
FILES = "content/"
"""Where their keys begin. Other keys of the store belong to one upload, or to one object of an older version."""


def file_keys(urls: Iterable[object]) -> frozenset[str]:
    """The keys of those of the addresses that are such files."""
    start = OURS + FILES
    return frozenset(url.removeprefix(OURS) for url in urls if isinstance(url, str) and url.startswith(start))
