"""Who owns the folder of the shards."""

import threading
from pathlib import Path

import pytest

from tamis.storage.index.files import lock

PATIENCE_S = 60.0


def test_one_process_owns_a_root_and_the_next_one_waits(tmp_path: Path) -> None:
    first = lock(tmp_path)
    with pytest.raises(TimeoutError):
        lock(tmp_path, wait_s=0.05)
    threading.Timer(0.1, first.close).start()
    lock(tmp_path, wait_s=PATIENCE_S).close()
