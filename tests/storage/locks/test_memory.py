"""The locks of one process."""

import pytest

from tamis.engine.ports.locks import Locks
from tamis.storage.locks import MemoryLocks
from tamis.testing.lock_contract import LockContract


class TestMemoryLocks(LockContract):
    @pytest.fixture
    def locks(self) -> Locks:
        return MemoryLocks()
