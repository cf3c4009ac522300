"""The real models, fetched once into the user's cache and loaded once a session."""

import os

import pytest

from tamis.inference.models import LocalModels


@pytest.fixture(scope="session")
def models() -> LocalModels:
    return LocalModels(threads=1 if "PYTEST_XDIST_WORKER" in os.environ else 2)
