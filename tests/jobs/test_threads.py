from collections.abc import Iterator

import pytest

from tamis.jobs.threads import ExtractorThreads
from tests.jobs.caller_contract import CallerContract


@pytest.fixture
def caller() -> Iterator[ExtractorThreads]:
    threads = ExtractorThreads(2)
    yield threads
    threads.leave(5)
    assert threads.left_behind == 0


class TestThreads(CallerContract):
    pass
