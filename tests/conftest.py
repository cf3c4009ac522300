"""What holds for the whole suite."""

import os
import sys

import pytest

from tests.routes import keep_routes
from tests.servers import s3

__all__ = ["s3"]

# ranx compiles itself with numba at its first use: half a minute, for the few rows that tests give it.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

# Containers often forbid Python to keep what it compiled; each of some hundred servers and commands would then compile
# the whole package again, which is half of what a start costs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

keep_routes()

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the processors: models that each take all of them only get in each other's way.
    for threads in ("TAMIS_MODEL_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="the short form of the long proofs, for `-m slow`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        left_out = [item for item in items if item.get_closest_marker("whole")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    """Whether a long proof is to be short."""
    return bool(request.config.getoption("--quick"))
