"""What holds for the whole suite."""

import os

# ranx compiles itself with numba at its first use: half a minute, for the few rows that tests give it.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the processors: models that each take all of them only get in each other's way.
    os.environ.setdefault("TAMIS_MODEL_THREADS", "1")
