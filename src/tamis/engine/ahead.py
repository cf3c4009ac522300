"""Work that goes on beside the caller's: what comes next is made while he is at what came last."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


def ahead(source: Generator[T, None, None], depth: int = 1) -> Iterator[T]:
    """What `source` yields, in order, drawn from it by a thread of its own, so many beyond what the caller has.

    So decoding, which waits for another process, goes on while a model works. An error of `source` comes in its place.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as beside:
        coming = deque(beside.submit(next, source, _END) for _ in range(depth))
        try:
            while (found := coming.popleft().result()) is not _END:
                coming.append(beside.submit(next, source, _END))
                yield found
        finally:
            beside.shutdown(cancel_futures=True)
            source.close()
