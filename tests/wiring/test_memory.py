"""The heap in huge pages is the heap that it was."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_PROGRAM = """
import re
from pathlib import Path
from tamis.wiring.memory import settle_memory, use_huge_pages

def huge_kb():
    return int(re.search(r"AnonHugePages: +([0-9]+)", Path("/proc/self/smaps_rollup").read_text())[1])

held = [(number, str(number)) for number in range(200_000)]
settle_memory()
before = huge_kb()
made = use_huge_pages()
assert held == [(number, str(number)) for number in range(200_000)]
print(made, before, huge_kb())
"""


def test_the_heap_moves_and_nothing_in_it_changes() -> None:
    if not _ENABLED.exists() or "[never]" in _ENABLED.read_text():
        pytest.skip("this kernel has no transparent huge pages")
    if tuple(map(int, re.findall(r"\d+", platform.release())[:2])) < (6, 1):
        pytest.skip("this kernel collapses no pages when asked to (Linux 6.1 does)")
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made, before, after = map(int, done.stdout.split())
    if not made:
        pytest.skip("this kernel had no huge page to give")
    assert after >= before + 2048
