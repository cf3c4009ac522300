"""One server a data directory, and a layout that says its version."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tamis.errors import DataDirectoryInUse, StorageError
from tamis.storage.datadir import LAYOUT, DataDirectory, read_address


def test_a_second_server_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path)
    with pytest.raises(DataDirectoryInUse, match="another Tamis server is using"):
        DataDirectory(tmp_path)
    first.close()
    DataDirectory(tmp_path).close()


def test_the_lock_goes_with_the_process(tmp_path: Path) -> None:
    code = "import sys, time, pathlib; from tamis.storage.datadir import DataDirectory\n"
    code += "held = DataDirectory(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirectoryInUse):
            DataDirectory(tmp_path)
        holder.kill()
    DataDirectory(tmp_path).close()


def test_a_newer_layout_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text(json.dumps({"layout": LAYOUT + 1}))
    with pytest.raises(StorageError, match="install a newer one"):
        DataDirectory(tmp_path)
    assert json.loads((tmp_path / "layout.json").read_text()) == {"layout": LAYOUT + 1}


def test_commands_find_the_running_server(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    assert read_address(tmp_path) is None
    directory.announce("http://127.0.0.1:1234")
    assert read_address(tmp_path) == "http://127.0.0.1:1234"
    directory.close()
    assert read_address(tmp_path) is None
