"""The real models, fetched once into the user's cache and loaded once a session."""

import pytest

from tamis.inference.models import LocalModels


@pytest.fixture(scope="session")
def models() -> LocalModels:
    return LocalModels(threads=2)
