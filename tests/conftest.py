"""What holds for the whole suite."""

import os

import pytest

# ranx compiles itself with numba at its first use: half a minute, for the few rows that tests give it.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the processors: models that each take all of them only get in each other's way.
    os.environ.setdefault("TAMIS_MODEL_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="the short form of the long proofs, for `-m slow`")


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    """Whether a long proof is to be short."""
    return bool(request.config.getoption("--quick"))
