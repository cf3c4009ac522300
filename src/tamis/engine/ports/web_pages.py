"""The port for web pages that an extractor reads: asked for from a worker thread, under the guards of the outside."""

from typing import Protocol

from tamis.engine.ports.outside import Fetch, Fetched
from tamis.model.principal import Principal


class WebPages(Protocol):
    def read(self, principal: Principal, fetch: Fetch) -> Fetched:
        """As `Outside.read_page`, but it blocks; callers run on worker threads. Raises: as that."""
        ...
