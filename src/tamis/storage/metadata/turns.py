"""Whose turn it is to write to an SQLite database: the writer's thread's, or the event loop's for a short commit."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHECKPOINT_PAGES = 1000
"""SQLite's own default."""


class Turns:
    """The thread waits for its turn, for other programs and for a checkpoint; the loop waits for none of them."""

    def __init__(self, driver: sqlite3.Connection, wait_s: float) -> None:
        """driver: its transactions are begun and ended by hand.  wait_s: how long the thread waits for others."""
        self._driver = driver
        self._wait_ms = round(wait_s * 1000)
        self._lock = threading.Lock()
        self._is_prompt = False

    @contextmanager
    def patient(self) -> Iterator[None]:
        with self._lock:
            self._be(prompt=False)
            yield

    @contextmanager
    def prompt(self) -> Iterator[bool]:
        """Whether it is the caller's turn."""
        if not self._lock.acquire(blocking=False):
            yield False
            return
        try:
            self._be(prompt=True)
            yield True
        finally:
            self._lock.release()

    def _be(self, *, prompt: bool) -> None:
        if prompt is not self._is_prompt:
            self._driver.execute(f"PRAGMA busy_timeout = {0 if prompt else self._wait_ms}").close()
            self._driver.execute(f"PRAGMA wal_autocheckpoint = {0 if prompt else _CHECKPOINT_PAGES}").close()
            self._is_prompt = prompt
