"""No library behind the models reports anything to anyone."""

import os
import subprocess
import sys
from pathlib import Path

from tamis.inference.artifacts import default_cache_dir

CODE = """
from pathlib import Path
from tamis.inference.models import LocalModels
LocalModels(cache_dir=Path({cache!r})).embedder().embed_query("quiet")
"""


def test_loading_a_model_leaves_no_trace_of_telemetry(tmp_path: Path) -> None:
    cache = os.environ.get("TAMIS_MODEL_CACHE_DIR") or str(default_cache_dir())
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", CODE.format(cache=cache)], env=environment, check=True, timeout=240)
    assert list(tmp_path.iterdir()) == []
