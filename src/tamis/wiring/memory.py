"""What is in memory once everything is built stays there: the garbage collector and the kernel are told so."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from pathlib import Path

# New objects before the youngest are looked through; an execution makes some thousands, nearly all gone by its end.
_GC_THRESHOLD = 20_000
_HUGE_PAGE = 2 << 20
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25
_MAPPINGS = Path("/proc/self/maps")


def settle_memory() -> None:
    """Call once everything is built. What is here now stays, so the garbage collector need not walk it again.

    Thousands of routes, schemas and compiled plans would else be walked every few requests. It is not collected first:
    that takes a quarter of a second to find one megabyte.
    """
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 50)
    gc.enable()


def use_huge_pages() -> int:
    """Move the heap to pages of 2 MB; how many it came to. 0 where the kernel has none, or is older than 6.1.

    It copies the heap, so it is for a thread beside what is already being served.

    An execution touches a little of everything, after a pause in which all of it has left the processor's caches: with
    pages of 4 kB each place is looked up in the page tables first, on a virtual machine in two of them. Memory that is
    asked for later in the same ranges comes in such pages too. docs/decisions/0041 has the figures.
    """
    if sys.platform != "linux":
        return 0
    advise = ctypes.CDLL(None, use_errno=True).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    made = 0
    for start, end in _heap():
        advise(start, end - start, _MADV_HUGEPAGE)
        made += sum(advise(page, _HUGE_PAGE, _MADV_COLLAPSE) == 0 for page in range(start, end, _HUGE_PAGE))
    return made


def _heap() -> Iterator[tuple[int, int]]:
    """Ranges of private memory without a file behind it, writable and no stack: their whole huge pages."""
    for line in _MAPPINGS.read_text().splitlines():
        span, permissions, _, _, inode, *name = line.split(maxsplit=5)
        if not permissions.startswith("rw-p") or inode != "0" or (name and name[0] != "[heap]"):
            continue
        first, last = (int(address, 16) for address in span.split("-"))
        start, end = -(-first // _HUGE_PAGE) * _HUGE_PAGE, last // _HUGE_PAGE * _HUGE_PAGE
        if start < end:
            yield start, end
