"""The locks of one process."""

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.locks import Locks
from tamis.testing.lock_contract import LockContract


class TestLocalLocks(LockContract):
    @pytest.fixture
    def locks(self) -> Locks:
        return LocalLocks()
