"""What holds for the whole suite."""

import os

# ranx compiles itself with numba at its first use: half a minute, for the few rows that tests give it.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
